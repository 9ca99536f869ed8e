"""A planner's own policy: a Python function in a file, named on the command line.

The file is run: it is code by design, and is therefore named by an explicit flag only, never by a
configuration. The function has the signature ``(world, observation) -> list[Order]`` and is called
at each epoch.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from nts_sim.decision.checks import order_problems
from nts_sim.decision.model import Decide, Observation, Order, Policy
from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say
from nts_sim.words.figures import figure
from nts_sim.world.model import World

UserFunction = Callable[[World, Observation], Sequence[Order]]

_FORM = "FILE.py:function"


def load_user_policy(reference: str) -> Policy:
    """Load a policy from ``file.py:function``; it is named after the function.

    Raises
    ------
    InvalidInput
        The reference has another form, there is no such file or function, its signature is not
        ``(world, observation)``, or running the file failed. The same is raised at the epoch at
        which the function fails or returns something that is not a list of orders.
    """
    path, name = _parts(reference)
    function = _function(path, name)

    def open_policy(world: World) -> Decide:
        def decide(observation: Observation) -> Sequence[Order]:
            return _checked(function, world, observation, path)

        return decide

    return Policy(name, open_policy, settings={"file": path.name, "function": name})


def _refuse(where: str, what: str) -> InvalidInput:
    return InvalidInput([Problem(where, what)], subject=say("said.subject.own_policy"))


def _parts(reference: str) -> tuple[Path, str]:
    file, colon, name = reference.rpartition(":")
    if not colon or not file.endswith(".py") or not name.isidentifier():
        raise _refuse(reference, say("said.policy.form", form=_FORM))
    path = Path(file)
    if not path.is_file():
        raise _refuse(file, say("said.policy.no_file"))
    return path, name


def _function(path: Path, name: str) -> UserFunction:
    members = vars(_run(path))
    function = members.get(name)
    if not inspect.isfunction(function):
        known = sorted(key for key, value in members.items() if inspect.isfunction(value))
        if known:
            what = say("said.policy.no_function", name=name, known=", ".join(known))
        else:
            what = say("said.policy.no_functions", name=name)
        raise _refuse(str(path), what)
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        given = inspect.signature(function)
        line = function.__code__.co_firstlineno
        what = say("said.policy.signature", given=f"{name}{given}", name=name)
        raise _refuse(_line(path, line), what) from None
    return function


def _run(path: Path) -> ModuleType:
    """Run the file as a module of its own name, without entering it into ``sys.modules``."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))  # noqa: S102 - by design
    except (Exception, SystemExit) as error:
        raise _told(error, path) from error
    return module


def _checked(
    function: UserFunction, world: World, observation: Observation, path: Path
) -> Sequence[Order]:
    try:
        orders = function(world, observation)
    except (Exception, SystemExit) as error:
        raise _told(error, path, observation.day) from error
    if isinstance(orders, list | tuple) and all(isinstance(order, Order) for order in orders):
        problems = order_problems(world, orders)
        if problems:
            day = figure(observation.day)
            raise InvalidInput(problems, say("said.subject.orders", path=path, day=day))
        return orders
    given = type(orders).__name__
    what = say("said.policy.not_orders", name=function.__name__, given=given)
    raise _refuse(_line(path, function.__code__.co_firstlineno), what)


def _line(path: Path, number: int) -> str:
    return say("said.where.line", path=path, number=number)


def _told(error: BaseException, path: Path, day: float | None = None) -> InvalidInput:
    """Say in one sentence which line of the user's file failed, how, and on which day."""
    line = error.lineno if isinstance(error, SyntaxError) else _last_line(error, path)
    said = f": {error}".splitlines()[0] if str(error) else ""
    where = _line(path, line) if line else str(path)
    kind = type(error).__name__
    if day is None:
        return _refuse(where, say("said.policy.failed_reading", error=kind, said=said))
    return _refuse(where, say("said.policy.failed", error=kind, said=said, day=figure(day)))


def _last_line(error: BaseException, path: Path) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if frame.filename == str(path)]
    return own[-1] if own else None
