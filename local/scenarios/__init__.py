"""The stories, by the name that `make demo SCENARIO=` takes."""

from local.scenarios import bad_input, capacity, pauses, races, rescues
from local.scenarios.scenario import Scenario

ALL: dict[str, Scenario] = {
    it.name: it
    for module in (rescues, capacity, pauses, races, bad_input)
    for it in module.SCENARIOS
}
