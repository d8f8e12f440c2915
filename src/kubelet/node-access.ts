// What the API server may ask of this node: logs, streams into containers, and what a kubelet answers on its port.
import type { NodeAccess } from '../api/node-access.ts'
import { answerKubeletRequest, type KubeletServerParts } from './server/kubelet-server.ts'
import { answerNodeRequest } from './stats/node-endpoints.ts'
import type { PodStreaming } from './streaming/pod-streaming.ts'

export interface NodeAccessParts extends KubeletServerParts {
  streaming: PodStreaming
}

/** One node answers, whatever name it is asked by. */
export function nodeAccessOf({ streaming, ...endpoints }: NodeAccessParts): NodeAccess {
  return {
    logs: (_nodeName, pod, options, signal) => endpoints.logs.read(pod, options, signal),
    exec: (_nodeName, pod, options) => streaming.exec(pod, options),
    attach: (_nodeName, pod, options) => streaming.attach(pod, options),
    portForward: (_nodeName, pod) => streaming.portForward(pod),
    get: (_nodeName, path) => answerNodeRequest(path, endpoints),
    ask: (_nodeName, request) => answerKubeletRequest(request, endpoints),
  }
}
