"""Ways to decide: rules that planners use or might use, the optimised policy, a user's own."""

from nts_sim.policies.registry import POLICY_NAMES, make_policy
from nts_sim.policies.user import load_user_policy

__all__ = ["POLICY_NAMES", "load_user_policy", "make_policy"]
