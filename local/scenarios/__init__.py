"""The stories, by the name that `make demo SCENARIO=` takes."""

from local.scenarios import (
    addresses,
    bad_input,
    capacity,
    chaos,
    clones,
    foreseen,
    foretold,
    groups,
    likeness,
    names,
    origin,
    owners,
    parts,
    pauses,
    races,
    refused,
    remembered,
    rescues,
    returns,
    roots,
    targets,
    upkeep,
    volumes,
    warnings,
)
from local.scenarios.scenario import Scenario

ALL: dict[str, Scenario] = {
    it.name: it
    for module in (
        rescues,
        addresses,
        likeness,
        names,
        volumes,
        roots,
        targets,
        capacity,
        refused,
        remembered,
        returns,
        clones,
        groups,
        pauses,
        warnings,
        foreseen,
        foretold,
        races,
        chaos,
        bad_input,
        parts,
        origin,
        owners,
        upkeep,
    )
    for it in module.SCENARIOS
}
