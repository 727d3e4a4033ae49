"""What tests can do to the local AWS and no caller can do to AWS.

    POST /local-aws/interrupt  {"instance_id" | "instance_ids", "action", "warn", "carry_out", "block_seconds"}:
                               with the latter at the end of a Capacity Block
    POST /local-aws/event      an event, delivered through the rules
    POST /local-aws/capacity   {"availability_zone", "instance_type", "market", "code"}; a subnet
                               may stand for the zone; with code null, what was closed is open
    POST /local-aws/refusal    {"action", "code"}: launches are refused as a whole, until code is null
    POST /local-aws/deaths     {"code", "count"}: so many of the next instances die while booting, or
                               all, until code is null
    POST /local-aws/settings   any of call_seconds, launch_seconds, calls_in_progress,
                               snapshot_seconds, shutdown_seconds, boot_seconds, relaunch_seconds,
                               snapshot_result, targets_per_group, root_seconds, root_by_volume
    POST /local-aws/work       {"functions": 1 or -1}: the clock runs while any is at work
    POST /local-aws/jump       {"until", "deliver"}: to what is due next, at most until then; not
                               while a function works, nor over messages that are to be delivered
    POST /local-aws/start      {"instance_id"}
    POST /local-aws/persistent {"instance_id"}: as if by RequestSpotInstances
    POST /local-aws/share      {"resource_id", "owner"}: a subnet, a security or placement group that another
                               account owns
    POST /local-aws/join       {"fleet_id", "instance_id"}: as if the fleet had launched it
    POST /local-aws/manage     {"volume_id", "principal"}: from now on a service manages it
    POST /local-aws/chaos      {"rate", "principal", "kinds", "latency_ms", "seed"}
    GET  /local-aws/journal?since=n
    GET  /local-aws/states     what state which instance entered when
    GET  /local-aws/chaos
    GET  /local-aws/health

Bad input is a 400 with `{"error": …}`.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from local.aws import (
    capacity,
    deaths,
    events,
    fleets,
    managed,
    moments,
    refusals,
    requests,
    settings,
    sharing,
    spot,
)
from local.aws.chaos import CHAOS
from local.aws.clock import CLOCK
from local.aws.journal import JOURNAL
from local.aws.settings import BadInput

log = logging.getLogger(__name__)

PREFIX = "/local-aws/"
EVENT_KEYS = {"source": str, "detail-type": str, "detail": dict}


def _interrupt(body: dict[str, Any]) -> Any:
    ids = body.get("instance_ids") or [body.get("instance_id")]
    if not isinstance(ids, list) or not all(isinstance(it, str) for it in ids):
        raise BadInput("instance_id or instance_ids is missing")
    warn, carry_out = _flag(body, "warn"), _flag(body, "carry_out")
    if not warn and not carry_out:
        raise BadInput("without warn and carry_out nothing happens")
    block = body.get("block_seconds")
    if block is not None and not isinstance(block, int):
        raise BadInput(f"block_seconds is a number, not {block!r}")
    spot.interrupt(ids, body.get("action", "terminate"), warn, carry_out, block)
    return {"interrupted": ids}


def _flag(body: dict[str, Any], name: str) -> bool:
    """True by default."""
    value = body.get(name, True)
    if not isinstance(value, bool):
        raise BadInput(f"{name} is true or false, not {value!r}")
    return value


def _code(body: dict[str, Any]) -> str | None:
    code = body.get("code")
    if code is not None and not isinstance(code, str):
        raise BadInput(f"code is an error code or null, not {code!r}")
    return code


def _event(body: dict[str, Any]) -> Any:
    for key, kind in EVENT_KEYS.items():
        if not isinstance(body.get(key), kind):
            raise BadInput(f"an event has a {key!r} of type {kind.__name__}")
    events.deliver(body)
    return {"delivered": body["detail-type"]}


def _capacity(body: dict[str, Any]) -> Any:
    names = ("availability_zone", "instance_type", "market")
    place = [body.get(name) for name in names]
    if not all(isinstance(it, str) for it in place):
        raise BadInput(f"{', '.join(names)} are needed; '*' stands for all")
    capacity.limit(*place, _code(body))
    return {"rules": len(capacity.RULES)}


def _refusal(body: dict[str, Any]) -> Any:
    refusals.put(body.get("action"), _code(body))
    return {"refused": refusals.RULES}


def _deaths(body: dict[str, Any]) -> Any:
    deaths.foretell(_code(body), body.get("count"))
    return {"dying": deaths.FATE.code}


def _settings(body: dict[str, Any]) -> Any:
    return settings.change(body)


def _work(body: dict[str, Any]) -> Any:
    functions = body.get("functions")
    if functions not in (1, -1):
        raise BadInput(f"functions is 1 or -1, not {functions!r}")
    CLOCK.work(functions)
    return moments.now()


def _jump(body: dict[str, Any]) -> Any:
    until = body.get("until")
    if isinstance(until, bool) or not isinstance(until, int | float):
        raise BadInput(f"until is an AWS-second, not {until!r}")
    return moments.jump(until, _flag(body, "deliver"))


def _start(body: dict[str, Any]) -> Any:
    if not isinstance(body.get("instance_id"), str):
        raise BadInput("instance_id is missing")
    spot.bring_back(body["instance_id"])
    return {"started": body["instance_id"]}


def _persistent(body: dict[str, Any]) -> Any:
    if not isinstance(body.get("instance_id"), str):
        raise BadInput("instance_id is missing")
    requests.make_persistent(spot.find(body["instance_id"]))
    return {"persistent": body["instance_id"]}


def _share(body: dict[str, Any]) -> Any:
    sharing.share(body.get("resource_id"), body.get("owner"))
    return {"shared": body["resource_id"]}


def _join(body: dict[str, Any]) -> Any:
    fleets.join(body.get("fleet_id"), body.get("instance_id"))
    return {"joined": body["fleet_id"]}


def _manage(body: dict[str, Any]) -> Any:
    managed.manage(body.get("volume_id"), body.get("principal"))
    return {"managed": body["volume_id"]}


def _journal(since: str) -> Any:
    if not since.isdecimal():
        raise BadInput(f"since is a number, not {since!r}")
    return JOURNAL.since(int(since))


POSTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "interrupt": _interrupt,
    "event": _event,
    "capacity": _capacity,
    "refusal": _refusal,
    "deaths": _deaths,
    "settings": _settings,
    "work": _work,
    "jump": _jump,
    "start": _start,
    "persistent": _persistent,
    "share": _share,
    "join": _join,
    "manage": _manage,
    "chaos": CHAOS.change,
}


def answer(request: Request) -> Response:
    name = request.path.removeprefix(PREFIX)
    try:
        return _json(_answer(request, name), 200)
    except BadInput as error:
        return _json({"error": str(error)}, 400)
    except LookupError:
        known = sorted([*POSTS, "journal", "states", "health"])
        return _json({"error": f"{request.method} {name!r}: not one of {known}"}, 404)
    except Exception as error:
        log.exception("%s", name)
        return _json({"error": f"{type(error).__name__}: {error}"}, 500)


def _answer(request: Request, name: str) -> Any:
    if request.method == "GET" and name == "health":
        with CLOCK.turn():
            return {"ok": True, **moments.now()}
    if request.method == "GET" and name == "journal":
        return _journal(request.args.get("since", "0"))
    if request.method == "GET" and name == "states":
        return moments.ENTERED
    if request.method == "GET" and name == "chaos":
        return CHAOS.told()
    if request.method != "POST" or name not in POSTS:
        raise LookupError(name)
    body = _body(request)
    with CLOCK.turn():
        return POSTS[name](body)


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data(as_text=True))
    except ValueError as error:
        raise BadInput(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadInput("the body is not a JSON object")
    return body


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")
