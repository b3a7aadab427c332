"""Drives the SPIFFE Workload API with py-spiffe; prints what it got as JSON lines.

    client.py fetch AUDIENCE   X.509 context, JWT-SVID, bundles, validation by the agent
    client.py watch N          a line for each of N X.509 updates, then ends
"""

import json
import sys
import threading

from spiffe import JwtSvid, WorkloadApiClient


def describe(svid):
    leaf = svid.leaf
    return {
        "id": str(svid.spiffe_id),
        "serial": str(leaf.serial_number),
        "notAfter": leaf.not_valid_after_utc.isoformat(),
    }


def fetch(audience):
    with WorkloadApiClient() as client:
        context = client.fetch_x509_context()
        token = client.fetch_jwt_svid(audience={audience})
        bundles = client.fetch_jwt_bundles()
        client.validate_jwt_svid(token.token, audience)
        bundle = bundles.get_bundle_for_trust_domain(token.spiffe_id.trust_domain)
        JwtSvid.parse_and_validate(token.token, bundle, {audience})
        refused = False
        try:
            client.validate_jwt_svid(token.token, audience + "-other")
        except Exception:
            refused = True
        if not refused:
            raise SystemExit("the agent accepted a token for another audience")
        print(
            json.dumps(
                {
                    "svids": [describe(s) for s in context.x509_svids],
                    "tokens": [str(token.spiffe_id)],
                    "authorities": len(
                        context.x509_bundle_set.get_bundle_for_trust_domain(
                            token.spiffe_id.trust_domain
                        ).x509_authorities
                    ),
                }
            ),
            flush=True,
        )


def watch(count):
    done = threading.Event()
    seen = []

    def on_update(context):
        seen.append(context)
        print(json.dumps({"svids": [describe(s) for s in context.x509_svids]}), flush=True)
        if len(seen) >= count:
            done.set()

    def on_error(error):
        print(json.dumps({"error": str(error)}), flush=True)
        done.set()

    with WorkloadApiClient() as client:
        handler = client.stream_x509_contexts(on_update, on_error)
        done.wait(60)
        handler.cancel()


if __name__ == "__main__":
    if sys.argv[1] == "fetch":
        fetch(sys.argv[2])
    elif sys.argv[1] == "watch":
        watch(int(sys.argv[2]))
    else:
        raise SystemExit(__doc__)
