"""The planning problem: what is needed, what can be sent, and the best use of it.

`problem` holds sets and prices, `network` makes them from a world, `numbers` what an epoch fills
in, `leads` when help would serve; `forecast`, `sampled` and `classes` say what may come, `levers`
what coverage averts later. `template` and `preposition` write the mathematics through `modelling`
(PuLP), `filling` sets an epoch's numbers; `stages`, `risk`, `twostage`, `equivalent`, `recourse`
and `decompose` solve it for many samples, `solve` alone talks to solvers, and `plan` reads orders
out of a solution. `scenario` is the problem before day 0 and `whole` its answer in whole units;
`value`, `marginal`, `shapley`, `spending` and `explain` say what the plan is worth and why.
"""
