"""The planning problem: what is needed, what can be sent, and the best use of it.

`problem` holds sets and prices, `numbers` what an epoch fills in, `leads` when help would serve,
`forecast` what will be needed and `levers` what coverage averts. `template` writes the mathematics
in PuLP, `filling` sets an epoch's numbers, `solve` alone talks to solvers and `plan` reads orders
out of a solution.
"""
