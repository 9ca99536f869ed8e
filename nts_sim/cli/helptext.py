"""What ``--help`` prints. Nothing heavy is imported here: help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verb:
    """One line for the overview, and what ``VERB --help`` says."""

    usage: str
    line: str
    text: str
    groups: bool = False


_STUDY = """\
A study is put together from groups (below): group=option chooses, key=value changes one number.
  scenario=flood_central            another future
  policy=current_practice,greedy    policies to compare
  fund.balance_factor=0.5           half the money
  measure=training,shared_database  prevention measures taken together (with -m: measure=[a,b])
  replications=auto precision.half_width_pct=1   as many as the difference in burden needs
  replications=50  seed=147  workers=2  results_dir=results  tables_dir=my_tables
-m takes several values of a key, one run each:  -m fund=standard,tight  (see sweep --help)
--config-dir FOLDER adds your own options, as in FOLDER/scenario/my_storm.yaml.
--cfg job shows the study as it is put together.
--policy-file FILE.py:function adds your own policy (Python code of yours; it will be run).
--json prints the result tables as JSON; --quiet prints no progress; --debug shows tracebacks."""

_PROGRESS = """
--progress FILE reads back plan.csv or plan.xlsx, filled in by those who carry the plan out, in
either language: who is late, who to urge, what is at risk. Nothing is planned again.
  as_of=2024-09-12                  the day to look at (the latest date in the file)
  reviews=2024-09-09,2024-09-12     days of review (every seven days back from as_of): late at one,
                                    a reminder; late at two, it goes to the superior
  summary=quarter                   a summary too: quarter, preliminary or final
  run=FOLDER  results_dir=results   where the plan is kept, if the file does not lead there"""

_PORTFOLIOS = """\
measure=a,b names the measures to choose from, at most 6; without it, all that are shipped.
Every combination gets a world of its own, in which the policy (stochastic) plans; all meet the same
luck. plan.draws planning draws choose the best; plan.evaluation_draws others judge it against none.
Costs of measures count in full against one course of events: choose a scenario, or a weighted set,
that is worth one such payment."""

_REPLAY = """\
RUN is the folder of a run, or its run id, looked up below results_dir (results). The tables of run,
compare, plan, portfolios and sweep are made again and compared with the checksums in DONE.json;
nothing is kept of it. Charts and the report are drawn from the tables and not compared.
A run on tables or with a policy of your own needs them again: tables_dir=…, --policy-file ….
Exit code 0: the same. 3: not the same; it says which tables, where first, and what changed since.
2: it cannot be made again, as an input is another one or the manifest cannot be read."""

_SWEEP = """\
Every key that has several values is an axis; every combination is a cell, and all are one table.
  fund=standard,tight               options of a group
  fund.balance_factor=0..2:0.5      from, to and step; both ends are included
  seed=1..20                        whole numbers
  policy=greedy,current_practice    compared inside each cell (policy=[a,b],[a,c] sweeps lists)
Hydra's own range(0,5), choice(a,b) and interval(0,1) work too; quote their brackets in a shell.
  zip=fund.balance_factor,seed      these two go together, first with first (several zips may be)
  design=latin_hypercube            64 points drawn from all axes together; 0.2..2 is an interval
  design=sobol design.points=128 design.seed=1
  design=cells.csv                  one row a cell; its header names the keys
  execution=dask execution.scheduler=tcp://127.0.0.1:8786    on a cluster
--dry-run tells how many cells there are, and how much time and memory they take; nothing is run.
The same command again does only what is missing. At most 100,000 cells."""

_SENSITIVITY = """\
A key with a range or several values is an input; the cells a method asks for are run as a sweep.
  method=morris                     what matters at all: design.points (10) x (inputs + 1) cells
  method=sobol                      shares of the variance: design.points (64) x (inputs + 2) cells
  fund.balance_factor=0.2..2        every number in between; whole ones where a key takes these
  fund=standard,tight               one of these
  metric=harm_bn_vnd                the outcome (total_burden_bn_vnd)
  policy=greedy,current_practice    each is studied, and the best one's difference to the baseline
Wider ranges matter more: give each input the range in which it is uncertain.
--dry-run tells how many cells there are, and how much time and memory they take; nothing is run.
The same command again does only what is missing. If a cell fails, there is no result (3)."""

_DISCOVER = """\
FOLDER is a sweep that was kept, as sweep prints it; nothing is simulated. First, for instance:
  nts-sim sweep design=latin_hypercube design.points=128 scenario=typhoon_north \\
      policy=current_practice,informed_practice information.lag_days=0..4 fund.balance_factor=0.2..2
then
  nts-sim discover FOLDER policy=informed_practice above=3000
  above=3000                        fails in a cell: more than this (below=… where more is better)
  loses=true                        fails in a cell: clearly worse than the baseline
  metric=harm_bn_vnd                the outcome (total_burden_bn_vnd)
Coverage is the share of all failing cells that a box holds, density the share of its cells that
fail. A box is told only if shuffled failures give one as good in less than 1 % of shuffles."""

_ROBUSTNESS = """\
FOLDER is a sweep that was kept, as sweep prints it; nothing is simulated. Every cell, and every
scenario of a set, is a future; none is taken to be likelier than another.
  metric=harm_bn_vnd                the outcome (total_burden_bn_vnd)
  aim=3000                          good enough: no worse than this
  aim_pct=10                        good enough: better than the baseline by so many per cent (0)
Regret is how much worse a policy does than the best one of the same future; the policy whose
largest regret is least comes first. "For sure": the whole 95 % interval is good enough."""

_BREAKEVEN = """\
  fund.balance_factor=0.2..2        the key that is changed, and how far; found to a hundredth of it
  fund.balance_factor=0.2..2:0.05   found to 0.05
  policy=a,b,current_practice       the one with the least burden at the value in use is preferred
  metric=harm_bn_vnd                the burden (total_burden_bn_vnd)
From the value in use the search goes to both ends in steps that double, until another policy has
the better mean, and halves that step again and again: mostly 10 to 40 values. It finds the nearest
change that its steps pass over; two changes inside one step can hide. The same command goes on
where it was stopped, and shares what sweeps have simulated. If a replication fails it stops (3)."""

_SELECT = """\
Worse policies are left out as it goes, so replications are spent where they matter.
selection.method=kn guarantees, for burdens that are roughly normal, that the chosen is the best or
within selection.indifference_bn_vnd of it (default: selection.indifference_pct of the baseline's
burden) in selection.confidence of selections. selection.method=ocba makes the best of
selection.budget replications and estimates how sure it is.
"worse" is said only of what is told apart from the chosen, however often one looked.
The chosen is somewhat lucky on this luck: to judge it, compare it with another seed=…"""

VERBS: dict[str, Verb] = {
    "run": Verb(
        "nts-sim run [scenario=…] [policy=…] [key=value …]",
        "one scenario under one policy: outcomes with intervals, charts, report",
        _STUDY,
        groups=True,
    ),
    "compare": Verb(
        "nts-sim compare [experiment=typhoon_north] [policy=a,b,…] [key=value …]",
        "policies side by side on the same luck: paired differences, ranking, report",
        _STUDY + "\nThe baseline (current_practice) must be among the policies.",
        groups=True,
    ),
    "sweep": Verb(
        "nts-sim sweep [key=a,b …] [key=from..to:step …] [group=option …]",
        "many values of any keys at once: every combination compared, in one table",
        _SWEEP + "\n\n" + _STUDY,
        groups=True,
    ),
    "sensitivity": Verb(
        "nts-sim sensitivity [method=morris|sobol] [key=from..to …] [policy=a,b] [key=value …]",
        "which inputs matter most for the outcome, and for a policy's advantage",
        _SENSITIVITY + "\n\n" + _STUDY,
        groups=True,
    ),
    "discover": Verb(
        "nts-sim discover FOLDER [policy=…] above=NUMBER|loses=true [metric=…]",
        "in which part of what was swept a policy fails: boxes of inputs, from a kept sweep",
        _DISCOVER,
    ),
    "robustness": Verb(
        "nts-sim robustness FOLDER [metric=…] [aim=NUMBER|aim_pct=NUMBER]",
        "which policy does well whatever comes: regret over the cells of a kept sweep",
        _ROBUSTNESS,
    ),
    "breakeven": Verb(
        "nts-sim breakeven key=from..to policy=a,b [scenario=…] [metric=…] [key=value …]",
        "the smallest change of one number at which another policy becomes the better one",
        _BREAKEVEN + "\n\n" + _STUDY,
        groups=True,
    ),
    "plan": Verb(
        "nts-sim plan [scenario=…] [key=value …]",
        "what to prepare, mobilise and send, who stays short and why, and how sure that is",
        _STUDY + "\nplan=thorough simulates more, for a plan that will be carried out;"
        "\npreparation=standard gives money to buy, post and open depots before day 0.\n" + _PROGRESS,
        groups=True,
    ),
    "portfolios": Verb(
        "nts-sim portfolios [measure=a,b,…] [scenario=…] [key=value …]",
        "which prevention measures to take together: every combination, a plan inside each",
        _STUDY + "\n" + _PORTFOLIOS,
        groups=True,
    ),
    "select": Verb(
        "nts-sim select [scenario=…] policy=a,b,… [selection.method=kn|ocba] [key=value …]",
        "which policy is best, with a stated certainty, for as few replications as it takes",
        _STUDY + "\n" + _SELECT + "\nThe baseline (current_practice) must be among the policies.",
        groups=True,
    ),
    "validate": Verb(
        "nts-sim validate [the arguments of run, compare or plan]",
        "check a study and its tables; nothing is run or written",
        _STUDY + "\nEvery problem is listed; it says valid only if there is none.",
        groups=True,
    ),
    "doctor": Verb(
        "nts-sim doctor",
        "check this machine: Python, packages, solvers, disk, cores",
        "Solves a small problem of known answer with HiGHS and with CBC.",
    ),
    "report": Verb(
        "nts-sim report RUN_FOLDER",
        "make the report of a finished run again from its stored tables",
        "RUN_FOLDER is results/<experiment>/<run id>, as printed at the end of a run.",
    ),
    "replay": Verb(
        "nts-sim replay RUN [results_dir=FOLDER] [workers=N] [tables_dir=…] [--policy-file …]",
        "make a finished run again from its manifest: the same to the last bit, or what changed",
        _REPLAY,
    ),
    "explain": Verb(
        "nts-sim explain RUN_FOLDER ORDER [POLICY]",
        "why an order was given, what it got, and what came of it",
        "ORDER is a number in plan.csv. Reads the stored trace of replication 0.",
    ),
    "data": Verb(
        "nts-sim data list | nts-sim data check [tables_dir=FOLDER]",
        "list the tables with their sources, or check a folder of your own",
        "A table in FOLDER replaces the shipped one of the same name, with the same columns.",
    ),
}


def overview() -> str:
    """Return the text of ``nts-sim --help``."""
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {verb.line}" for name, verb in VERBS.items()]
    return "\n".join(
        [
            "nts-sim VERB [flags] [group=option …] [key=value …]",
            "What-if simulation and resource planning for non-traditional security.",
            "",
            *lines,
            "",
            "Start with:  nts-sim compare experiment=typhoon_north",
            "More:        nts-sim VERB --help",
            'Tab completion in bash:  eval "$(nts-sim -sc install=bash)"',
        ]
    )


def verb_help(name: str) -> str:
    """Return the text of ``nts-sim VERB --help``."""
    verb = VERBS[name]
    lines = [verb.usage, f"  {verb.line}", "", verb.text]
    return "\n".join(lines + (["", "Groups and their options:", *_groups()] if verb.groups else []))


def _groups() -> list[str]:
    package = Path(__file__).resolve().parent.parent
    inside = package / "configs"
    root = inside if inside.is_dir() else package.parent / "configs"
    found = {
        folder.name: sorted(path.stem for path in folder.glob("*.yaml"))
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    }
    width = max(map(len, found), default=0)
    return [f"  {group:<{width}}  {', '.join(names)}" for group, names in found.items()]
