"""A validator as one writes it in Python for HealthLake: the key set is fetched for every event, then python-jose decides.

It is what `bootstrap` is measured beside. RS256, since that is what such a validator reads.
"""

import json
import os
import urllib.request

from jose import jwt
from jose.exceptions import JOSEError

ISSUER = os.environ["ADMIT_ISSUER"]
JWKS_URI = os.environ["JWKS_URI"]
ROLE = os.environ["USER_ROLE_ARN"]
DATASTORES = os.environ["ADMIT_DATASTORES"].split(",")


def refused(reason):
    return {"authPayload": {"isAuthorized": "false", "error": reason}}


def handler(event, context):
    try:
        endpoint = event["datastoreEndpoint"]
        event["operationName"]
        token = event["bearerToken"]
    except KeyError:
        return refused("missing fields")
    if endpoint not in DATASTORES:
        return refused("another data store")
    try:
        with urllib.request.urlopen(JWKS_URI, timeout=0.4) as response:
            keys = json.load(response)["keys"]
        kid = jwt.get_unverified_header(token)["kid"]
        key = next(key for key in keys if key["kid"] == kid)
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=endpoint, issuer=ISSUER)
    except (OSError, ValueError, KeyError, StopIteration, JOSEError) as error:
        return refused(type(error).__name__)
    payload = {name: claims[name] for name in ("iss", "aud", "iat", "nbf", "exp", "sub", "client_id", "scope")}
    if "patient" in claims:
        payload["patient"] = claims["patient"]
    return {"authPayload": {**payload, "uid": claims["sub"], "isAuthorized": "true"}, "iamRoleARN": ROLE}
