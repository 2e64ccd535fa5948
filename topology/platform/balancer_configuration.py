"""What Envoy is told: pure data, made from a `Balancer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from topology.platform.certificate import Certificate

HTTP_PORT: Final = 8080
HTTPS_PORT: Final = 8443
ADMIN_PORT: Final = 9901
WEB_PORT: Final = 8000

#: A node that answers nothing is out after two checks, 3 s at the most; one that refuses, after 1 s.
CHECK_EVERY: Final = "0.5s"
CHECK_TIMEOUT: Final = "1s"
FAILURES_UNTIL_OUT: Final = 2
CONNECT_TIMEOUT: Final = "1s"
ANSWER_TIMEOUT: Final = "5s"
#: Of one web node; the next one still has time.
PAGE_TIMEOUT: Final = "2s"
#: A connection whose other side is silent to TCP itself breaks after this, and its request goes elsewhere.
SILENCE_MS: Final = 2000
#: More than the citizens of a drill open at once.
CONNECTIONS: Final = 8192
IPPROTO_TCP: Final = 6
TCP_USER_TIMEOUT: Final = 18

Config = Mapping[str, object]


@dataclass(frozen=True)
class Balancer:
    """`endpoints`: the file with the web nodes' addresses, made by `assignment`, watched while running."""

    node: str
    zone: str
    endpoints: Path
    certificate: Certificate
    health_checks: bool


def envoy(balancer: Balancer) -> Config:
    """Envoy's bootstrap file. JSON is YAML, so it can be written as either."""
    return {
        "node": {"id": balancer.node, "cluster": "balancer", "locality": {"zone": balancer.zone}},
        "admin": {"address": _address("0.0.0.0", ADMIN_PORT)},
        "static_resources": {
            "listeners": [
                _listener("http", HTTP_PORT, None),
                _listener("https", HTTPS_PORT, balancer.certificate),
            ],
            "clusters": [_web(balancer)],
        },
    }


def assignment(near: Sequence[str], far: Sequence[str], ways: Sequence[str] = ()) -> Config:
    """The addresses of the web nodes: the near ones take all, as long as enough of them are healthy.

    With `ways` they take nothing; everything goes there, into another region. The web nodes stay under watch, so that
    they can take over again at once. A way is believed in without a check: there is no other.
    """
    groups = [("near", [_endpoint(at, serving=not ways) for at in near])]
    groups += [("far", [_endpoint(at, serving=not ways) for at in far])]
    if ways:
        groups += [("elsewhere", [_way(at) for at in ways])]
    localities = [
        {"priority": priority, "locality": {"zone": name}, "lb_endpoints": endpoints}
        for priority, (name, endpoints) in enumerate(groups)
    ]
    load = {
        **_typed("config.endpoint.v3.ClusterLoadAssignment"),
        "cluster_name": "web",
        "endpoints": localities,
    }
    return {"version_info": "1", "resources": [load]}


def _endpoint(address: str, *, serving: bool = True) -> Config:
    """One that is there but not serving counts as unhealthy, whatever it says itself."""
    host, _, port = address.partition(":")
    status: Config = {} if serving else {"health_status": "UNHEALTHY"}
    return {"endpoint": {"address": _address(host, int(port or WEB_PORT))}, **status}


def _way(address: str) -> Config:
    host, _, port = address.partition(":")
    unchecked = {"disable_active_health_check": True}
    return {"endpoint": {"address": _address(host, int(port)), "health_check_config": unchecked}}


def _address(host: str, port: int) -> Config:
    return {"socket_address": {"address": host, "port_value": port}}


def _typed(name: str) -> Config:
    return {"@type": f"type.googleapis.com/envoy.{name}"}


# -- towards the people --------------------------------------------------------------------------------------


def _listener(name: str, port: int, certificate: Certificate | None) -> Config:
    chain: dict[str, object] = {"filters": [{"name": "http", "typed_config": _connection_manager(name)}]}
    if certificate is not None:
        chain["transport_socket"] = _tls(certificate)
    return {
        "name": name,
        "address": _address("0.0.0.0", port),
        "per_connection_buffer_limit_bytes": 65536,
        "tcp_backlog_size": 1024,
        "filter_chains": [chain],
    }


def _tls(certificate: Certificate) -> Config:
    files = {
        "certificate_chain": {"filename": str(certificate.chain)},
        "private_key": {"filename": str(certificate.key)},
    }
    context = {"tls_certificates": [files], "alpn_protocols": ["http/1.1"]}
    kind = _typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext")
    return {"name": "tls", "typed_config": {**kind, "common_tls_context": context}}


def _connection_manager(name: str) -> Config:
    router = {"name": "router", "typed_config": _typed("extensions.filters.http.router.v3.Router")}
    return {
        **_typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": name,
        "codec_type": "HTTP1",
        "use_remote_address": True,
        "generate_request_id": False,
        "common_http_protocol_options": {"idle_timeout": "60s"},
        "request_headers_timeout": "5s",
        "request_timeout": "10s",
        "http_filters": [router],
        "route_config": {
            "virtual_hosts": [{"name": "service", "domains": ["*"], "routes": [_reads(), _writes()]}],
        },
    }


def _reads() -> Config:
    """A page that one web node cannot give, now (503) or in time, another one may."""
    method = {"name": ":method", "string_match": {"exact": "GET"}}
    more = {"per_try_timeout": PAGE_TIMEOUT}
    return {"match": {"prefix": "/", "headers": [method]}, "route": _route(2, more)}


def _writes() -> Config:
    """An answer may be sent again, for twice the same is one answer; another node may know a database.

    Once: two nodes that hold it are all the time that people have, and a third would work for nobody, while a whole
    region has no primary and every answer that is tried comes here.
    """
    return {"match": {"prefix": "/"}, "route": _route(1, {})}


def _route(retries: int, more: Config) -> Config:
    broken = "connect-failure,refused-stream,reset,reset-before-request"
    return {
        "cluster": "web",
        "timeout": ANSWER_TIMEOUT,
        "retry_policy": {
            "retry_on": f"{broken},retriable-status-codes",
            "retriable_status_codes": [503],
            "num_retries": retries,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.1s"},
            "retry_host_predicate": [
                {
                    "name": "other-host",
                    "typed_config": _typed("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
                }
            ],
            "host_selection_retry_max_attempts": 4,
            "retry_priority": {
                "name": "other-zone",
                "typed_config": {
                    **_typed("extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"),
                    "update_frequency": 1,
                },
            },
            **more,
        },
    }


# -- towards the web nodes -----------------------------------------------------------------------------------


def _web(balancer: Balancer) -> Config:
    limits = {
        "max_connections": CONNECTIONS,
        "max_pending_requests": CONNECTIONS,
        "max_requests": CONNECTIONS,
        # A web node holds a request for a while before it says 503: then most of what is under way are retries.
        "retry_budget": {"budget_percent": {"value": 100.0}, "min_retry_concurrency": 64},
    }
    silence = {
        "description": "TCP_USER_TIMEOUT",
        "level": IPPROTO_TCP,
        "name": TCP_USER_TIMEOUT,
        "int_value": SILENCE_MS,
    }
    return {
        "name": "web",
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {
                "resource_api_version": "V3",
                "path_config_source": {
                    "path": str(balancer.endpoints),
                    "watched_directory": {"path": str(balancer.endpoints.parent)},
                },
            }
        },
        # Without checks also blind to who is busy: a node that hangs is the busiest of all, and would show.
        "lb_policy": "LEAST_REQUEST" if balancer.health_checks else "ROUND_ROBIN",
        "connect_timeout": CONNECT_TIMEOUT,
        "per_connection_buffer_limit_bytes": 65536,
        "circuit_breakers": {"thresholds": [limits]},
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_probes": 2, "keepalive_time": 1, "keepalive_interval": 1}
        },
        "upstream_bind_config": {
            "source_address": {"address": "0.0.0.0", "port_value": 0},
            "socket_options": [silence],
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0.0}},  # nobody healthy: 503 at once
        **(_health(balancer) if balancer.health_checks else {}),
    }


def _health(balancer: Balancer) -> Config:
    """Nodes are asked, and watched at work; one that does not answer gets no more requests and loses its own."""
    check = {
        "timeout": CHECK_TIMEOUT,
        "interval": CHECK_EVERY,
        "no_traffic_interval": CHECK_EVERY,
        "no_traffic_healthy_interval": CHECK_EVERY,
        "unhealthy_threshold": FAILURES_UNTIL_OUT,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/health", "host": balancer.node},
    }
    outliers = {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "interval": "0.5s",
        "base_ejection_time": "2s",
        "max_ejection_time": "10s",
        "max_ejection_percent": 50,
        # A web node that says 503 does its work: the database is away, and for all of them.
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
    }
    return {
        "health_checks": [check],
        "outlier_detection": outliers,
        "close_connections_on_host_health_failure": True,
        "ignore_health_on_host_removal": True,
    }
