"""``nts-sim VERB``: a thin dispatcher that loads only what the verb needs.

Exit codes: 0 done · 1 an error of ours · 2 invalid input · 3 done in part (some runs failed; a
replayed run is not the same) · 4 no acceptable solution · 5 place or machine · 130 interrupted.

Results go to standard output and to files, messages to standard error.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable, Sequence

from nts_sim.cli.compiler import lacks_place, no_place
from nts_sim.cli.flags import Flags, take_flags
from nts_sim.cli.helptext import VERBS, overview, verb_help
from nts_sim.cli.language import take_language
from nts_sim.errors import InvalidInput, NtsError, PlaceOrMachine, Problem
from nts_sim.words import say, speak

INTERRUPTED = 130
_COMPLETION = ("-sc", "--shell-completion")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        language, given = take_language(given)
        speak(language)
        code = _dispatch(given)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience must not spoil the leaving
        print(say("cli.main.interrupted"), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone (as in `| head`); nobody is left to tell.
        sys.stdout = None
        return 0
    except NtsError as error:
        print(f"{error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(_refused_by_machine(error), file=sys.stderr)
        return PlaceOrMachine.exit_code
    except Exception as error:
        if lacks_place(error):
            print(no_place(), file=sys.stderr)
            return PlaceOrMachine.exit_code
        return _internal(error, debug="--debug" in given)


def _dispatch(given: list[str]) -> int:
    if given and given[0] in _COMPLETION:
        return _act("complete")(given, Flags())
    if not given or given[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if given[0] == "--version":
        from nts_sim import __version__

        print(f"nts-sim {__version__}")
        return 0
    verb = given[0]
    if verb not in VERBS:
        raise InvalidInput([Problem(verb, _unknown_verb(verb))], say("error.subject.command_line"))
    flags, rest = take_flags(given[1:])
    if flags.help:
        print(verb_help(verb))
        return 0
    return _act(verb)(rest, flags)


def _act(verb: str) -> Callable[[Sequence[str], Flags], int]:
    """Load the module of a verb and return its ``main``."""
    module = importlib.import_module(f"nts_sim.cli.verbs.{verb}")
    act: Callable[[Sequence[str], Flags], int] = module.main
    return act


def _unknown_verb(verb: str) -> str:
    import difflib

    close = difflib.get_close_matches(verb, VERBS, n=1)
    if close:
        return say("cli.main.unknown_verb_near", near=close[0])
    return say("cli.main.unknown_verb", known=", ".join(VERBS))


def _refused_by_machine(error: OSError) -> str:
    if error.filename:
        return say("cli.main.refused_at", place=error.filename, reason=error.strerror)
    return say("cli.main.refused", reason=error.strerror)


def _internal(error: Exception, debug: bool) -> int:
    """Tell an error of ours in one line; the traceback is shown on request."""
    if debug:
        import traceback

        traceback.print_exception(error)
    text = str(error).splitlines()
    shown = f"{type(error).__name__}: {text[0] if text else ''}"
    key = "cli.main.internal" if debug else "cli.main.internal_hint"
    print(say(key, error=shown), file=sys.stderr)
    return 1
