"""The loop of the AWS runtime for Python, as far as a handler notices: one event after the other over a kept connection."""

import http.client
import json
import os

from handler import handler

PATH = "/2018-06-01/runtime/invocation/"


def main():
    service = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        service.request("GET", PATH + "next")
        response = service.getresponse()
        request_id = response.getheader("Lambda-Runtime-Aws-Request-Id")
        answer = handler(json.loads(response.read()), None)
        body = json.dumps(answer).encode()
        service.request("POST", PATH + request_id + "/response", body, {"Content-Type": "application/json"})
        service.getresponse().read()


main()
