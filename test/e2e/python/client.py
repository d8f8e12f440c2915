"""What programs do with the Python client; each function is one test, called by its name."""

import datetime
import json
import sys
import tempfile
import threading
import time

import kubernetes
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.stream import portforward, stream

config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()
NAMESPACE = "default"

PAGE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: nginx}]
"""


def eventually(what, ask, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come true")


def web_pod():
    """The one that is ready and stays."""

    def ready():
        for pod in core.list_namespaced_pod(NAMESPACE, label_selector="app=web").items:
            statuses = pod.status.container_statuses or []
            if not pod.metadata.deletion_timestamp and any(status.ready for status in statuses):
                return pod.metadata.name

    return eventually("a ready pod", ready)


def objects_from_yaml_are_made_and_read_as_their_types():
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(PAGE)
        file.flush()
        utils.create_from_yaml(client.ApiClient(), file.name)
    deployment = apps.read_namespaced_deployment("web", NAMESPACE)
    assert isinstance(deployment.metadata.creation_timestamp, datetime.datetime)
    assert deployment.spec.strategy.rolling_update.max_surge == "25%"
    assert client.VersionApi().get_code().major == "1"
    try:
        utils.create_from_dict(client.ApiClient(), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}})
        raise AssertionError("made twice")
    except utils.FailToCreateError as error:
        assert error.api_exceptions[0].status in (409, 422), error


def every_patch_does_what_its_type_says():
    web_pod()
    merged = apps.patch_namespaced_deployment("web", NAMESPACE, {"spec": {"template": {"spec": {"containers": [
        {"name": "web", "env": [{"name": "COLOUR", "value": "red"}]}]}}}})
    container = merged.spec.template.spec.containers[0]
    assert (container.image, container.env[0].value) == ("nginx", "red"), container
    listed = [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    assert apps.patch_namespaced_deployment_scale("web", NAMESPACE, listed).spec.replicas == 2
    assert apps.patch_namespaced_deployment("web", NAMESPACE, {"spec": {"replicas": 1}}, dry_run="All").spec.replicas == 1
    assert apps.read_namespaced_deployment_scale("web", NAMESPACE).spec.replicas == 2
    apps.patch_namespaced_deployment("web", NAMESPACE, {"spec": {"replicas": 1}})


def lists_come_in_pages():
    for number in range(5):
        core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": f"page-{number}", "labels": {"paged": "yes"}}})
    names, token, pages = [], None, 0
    while pages == 0 or token:
        page = core.list_namespaced_config_map(NAMESPACE, label_selector="paged=yes", limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token, pages = page.metadata._continue, pages + 1
    assert (names, pages) == ([f"page-{number}" for number in range(5)], 3), (names, pages)
    core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="paged=yes")
    assert core.list_namespaced_config_map(NAMESPACE, label_selector="paged=yes").items == []


def a_watch_tells_what_happens_and_goes_on_where_it_stopped():
    since = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    body = {"metadata": {"name": "seen"}, "data": {"step": "1"}}
    core.create_namespaced_config_map(NAMESPACE, body)
    core.patch_namespaced_config_map("seen", NAMESPACE, {"data": {"step": "2"}})
    core.delete_namespaced_config_map("seen", NAMESPACE)
    watcher = watch.Watch()
    seen = []
    for event in watcher.stream(core.list_namespaced_config_map, NAMESPACE, resource_version=since,
                                field_selector="metadata.name=seen", timeout_seconds=10):
        seen.append((event["type"], event["object"].data["step"]))
        if event["type"] == "DELETED":
            watcher.stop()
    assert seen == [("ADDED", "1"), ("MODIFIED", "2"), ("DELETED", "2")], seen
    started = time.monotonic()
    assert list(watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, timeout_seconds=1,
                                     label_selector="nobody=here")) == []
    assert 0.9 < time.monotonic() - started < 5
    try:
        for _ in watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version="999999999", timeout_seconds=2):
            pass
        raise AssertionError("a watch from the future")
    except ApiException as error:
        assert error.status in (410, 504, 500), error


def commands_logs_and_ports_are_reached_over_websockets():
    name = web_pod()
    said = stream(core.connect_get_namespaced_pod_exec, name, NAMESPACE, command=["sh", "-c", "echo out; echo err >&2"],
                  stderr=True, stdin=False, stdout=True, tty=False)
    assert "out" in said and "err" in said, said
    talk = stream(core.connect_get_namespaced_pod_exec, name, NAMESPACE, command=["sh"], stderr=True, stdin=True,
                  stdout=True, tty=False, _preload_content=False)
    talk.write_stdin("echo $((6*7)); exit 3\n")
    assert talk.readline_stdout(timeout=10) == "42"
    talk.run_forever(timeout=10)
    assert talk.returncode == 3, talk.returncode
    talk.close()
    forward = portforward(core.connect_get_namespaced_pod_portforward, name, NAMESPACE, ports="80")
    socket = forward.socket(80)
    socket.setblocking(True)
    socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    answer = b""
    while True:
        chunk = socket.recv(4096)
        if not chunk:
            break
        answer += chunk
    assert answer.startswith(b"HTTP/1.1 200 OK"), answer[:100]
    assert forward.error(80) is None


def the_dynamic_client_finds_kinds_of_its_own():
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "lamps.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
                 "names": {"plural": "lamps", "kind": "Lamp", "shortNames": ["lmp"]},
                 "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                               "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                                   "spec": {"type": "object", "properties": {"watts": {"type": "integer"}}},
                                   "status": {"type": "object", "properties": {"lit": {"type": "boolean"}}}}}}}]},
    }
    find = dynamic.DynamicClient(client.ApiClient())
    find.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").create(body=definition)
    eventually("its API", lambda: any(
        condition.type == "Established" and condition.status == "True"
        for condition in client.ApiextensionsV1Api().read_custom_resource_definition("lamps.example.com").status.conditions or []))
    find.resources.invalidate_cache()
    lamps = find.resources.get(api_version="example.com/v1", kind="Lamp")
    lamp = {"apiVersion": "example.com/v1", "kind": "Lamp", "metadata": {"name": "desk"}, "spec": {"watts": 5}}
    lamps.create(body=lamp, namespace=NAMESPACE)
    lamps.patch(body={"spec": {"watts": 7}}, name="desk", namespace=NAMESPACE, content_type="application/merge-patch+json")
    lit = lamps.status.patch(body={"status": {"lit": True}}, name="desk", namespace=NAMESPACE,
                             content_type="application/merge-patch+json")
    assert (lit.spec.watts, lit.status.lit) == (7, True), lit
    wanted = {**lamp, "spec": {"watts": 9}}
    # Older clients take the text, newer ones the object.
    body = json.dumps(wanted) if int(kubernetes.__version__.split(".")[0]) < 28 else wanted
    applied = lamps.server_side_apply(body=body, name="desk", namespace=NAMESPACE, field_manager="tester",
                                      force_conflicts=True)
    assert applied.spec.watts == 9
    custom = client.CustomObjectsApi()
    assert custom.list_namespaced_custom_object("example.com", "v1", NAMESPACE, "lamps")["items"][0]["spec"] == {"watts": 9}
    try:
        lamps.create(body={**lamp, "metadata": {"name": "bad"}, "spec": {"watts": "many"}}, namespace=NAMESPACE)
        raise AssertionError("watts that are no number")
    except dynamic.exceptions.UnprocessibleEntityError as error:
        assert "spec.watts" in str(error.body), error.body
    for event in lamps.watch(namespace=NAMESPACE, timeout=5):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "desk")
        break
    lamps.delete(name="desk", namespace=NAMESPACE)


def of_two_candidates_one_leads_and_the_other_follows_it():
    led = []

    def candidate(name, ended):
        return leaderelection.LeaderElection(electionconfig.Config(
            ConfigMapLock("leader", NAMESPACE, name), lease_duration=3, renew_deadline=2, retry_period=1,
            onstarted_leading=lambda: led.append(name), onstopped_leading=ended))

    for name in ("first", "second"):
        threading.Thread(target=candidate(name, lambda: None).run, daemon=True).start()
    eventually("a leader", lambda: led)
    time.sleep(1.5)
    assert len(led) == 1, led
    holder = core.read_namespaced_config_map("leader", NAMESPACE).metadata.annotations
    assert led[0] in holder["control-plane.alpha.kubernetes.io/leader"], holder


def refusals_carry_their_reason():
    cases = [
        (404, "NotFound", lambda: core.read_namespaced_pod("absent", NAMESPACE)),
        (422, "Invalid", lambda: core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "bad"}, "spec": {"containers": []}})),
        (409, "AlreadyExists", lambda: core.create_namespace({"metadata": {"name": "default"}})),
    ]
    for status, reason, attempt in cases:
        try:
            attempt()
            raise AssertionError(reason)
        except ApiException as error:
            assert error.status == status and json.loads(error.body)["reason"] == reason, error


if __name__ == "__main__":
    globals()[sys.argv[1]]()
