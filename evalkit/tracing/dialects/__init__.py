"""How each interface of OpenAI's says what is asked and answered; each module has the same four functions.

`request_attributes`, `request_content`, `joined` (the one answer that the events of a stream amount to, and whether it
has ended), `result`.
"""
