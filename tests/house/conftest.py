collect_ignore = ["user_project"]  # a project of its own, run by .ci/run against the installed wheel
