// What a kubelet answers on its own port, asked through nodes/NAME/proxy: not over a socket, since both live in one
// process. Upstream: pkg/kubelet/server/server.go.

import type { KubeletAnswer, KubeletRequest, LogOptions } from '../../api/node-access.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { PodLogs } from '../logs/pod-logs.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { answerNodeRequest, type EndpointParts } from '../stats/node-endpoints.ts'
import { PROMETHEUS_TYPE, prometheusText } from '../stats/prometheus-text.ts'
import { kubeletMetrics } from './kubelet-metrics.ts'
import { runInContainer } from './run-in-container.ts'
import { runningPods } from './running-pods.ts'
import { serveFiles } from './serve-files.ts'

export interface KubeletServerParts extends EndpointParts {
  nodeName: string
  runtime: RuntimeService
  logs: PodLogs
  /** The machine's logs: /var/log. */
  systemLogs: string
  /** The kubelet's configuration as the API writes it. */
  configuration: () => object
}

type Route = (request: KubeletRequest, rest: string[], parts: KubeletServerParts) => Promise<KubeletAnswer>

/** By the first part of the path; a method that is not here is answered with 405. */
const ROUTES: Readonly<Record<string, Partial<Record<string, Route>>>> = {
  healthz: { GET: async () => text(200, 'ok') },
  configz: { GET: async (_, __, { configuration }) => json({ kubeletconfig: configuration() }) },
  metrics: { GET: metrics },
  runningpods: { GET: async (_, __, { runtime }) => json(await runningPods(runtime)) },
  containerLogs: { GET: containerLogs },
  logs: { GET: async (_, rest, { systemLogs }) => serveFiles(systemLogs, rest) },
  run: { POST: run },
}

/** Never rejects for what a caller can get wrong: that is an answer. */
export async function answerKubeletRequest(
  request: KubeletRequest,
  parts: KubeletServerParts,
): Promise<KubeletAnswer> {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const [first = '', ...rest] = request.path.split('/').slice(1).map(decodeURIComponent)
  const route = ROUTES[first]
  const isTheirs = route === undefined || (first === 'metrics' && rest.length > 0)
  if (isTheirs && method === 'GET') {
    const answer = await answerNodeRequest(request.path, parts)
    return answer ? { code: 200, ...answer } : notFound()
  }
  if (route === undefined) return notFound()
  const handler = route[method]
  return handler ? handler(request, rest, parts) : text(405, '405: Method Not Allowed')
}

async function metrics(_: KubeletRequest, __: string[], parts: KubeletServerParts): Promise<KubeletAnswer> {
  const body = Buffer.from(prometheusText(await kubeletMetrics(parts)))
  return { code: 200, contentType: PROMETHEUS_TYPE, body }
}

/** /containerLogs/NAMESPACE/POD/CONTAINER. */
async function containerLogs(
  { query, signal }: KubeletRequest,
  [namespace = '', name = '', container = '']: string[],
  { pods, logs }: KubeletServerParts,
): Promise<KubeletAnswer> {
  const pod = find(pods(), namespace, name)
  if (!pod) return text(404, `pod ${JSON.stringify(name)} does not exist\n`)
  if (!containerNames(pod).includes(container))
    return text(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}\n`)
  const reference = { namespace, name, uid: pod.metadata.uid }
  const body = await logs.read(reference, logOptions(query, container), signal)
  return { code: 200, contentType: 'text/plain', body }
}

/** /run/NAMESPACE/POD[/UID]/CONTAINER?cmd=…. */
async function run(
  { query }: KubeletRequest,
  [namespace = '', name = '', ...more]: string[],
  { pods, runtime }: KubeletServerParts,
): Promise<KubeletAnswer> {
  const pod = find(pods(), namespace, name)
  if (!pod) return text(404, 'pod does not exist')
  const labels = { [LABEL.podUid]: pod.metadata.uid, [LABEL.containerName]: more.at(-1) ?? '' }
  return runInContainer(runtime, labels, (query.get('cmd') ?? '').split(' '))
}

const find = (pods: readonly Pod[], namespace: string, name: string): Pod | undefined =>
  pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)

const containerNames = ({ spec }: Pod): string[] =>
  [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(
    ({ name }) => name,
  )

function logOptions(query: URLSearchParams, container: string): LogOptions {
  const isOn = (name: string) => query.get(name) === 'true'
  const number = (name: string) => (/^\d+$/.test(query.get(name) ?? '') ? Number(query.get(name)) : undefined)
  const [tailLines, limitBytes, sinceSeconds] = ['tailLines', 'limitBytes', 'sinceSeconds'].map(number)
  const sinceTime = query.get('sinceTime')
  const stream = query.get('stream')
  return {
    container,
    follow: isOn('follow'),
    previous: isOn('previous'),
    timestamps: isOn('timestamps'),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(sinceTime && { sinceTime }),
    ...((stream === 'Stdout' || stream === 'Stderr') && { stream }),
  }
}

const notFound = () => text(404, '404 page not found\n')

export const text = (code: number, words: string): KubeletAnswer => ({
  code,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from(words),
})

const json = (value: object): KubeletAnswer => ({
  code: 200,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(value)),
})
