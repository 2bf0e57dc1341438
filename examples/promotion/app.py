"""What runs in production. It asks for the prompt that is in force, once a minute; it reads no file of this folder."""

import evalkit as ek

prompt = ek.load_prompt("urgency", alias="production")
print(f"{prompt.version.label}: {prompt.text.splitlines()[0]}")
