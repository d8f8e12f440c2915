// A registry over memory for tests: calls by verb, with a user who may do everything.
import assert from 'node:assert/strict'
import type { KubeList, KubeObject, WatchEvent } from '../../api/kube-object.ts'
import type { LogOptions, PodReference, ReadAccess } from '../../api/node-access.ts'
import type { ApiRequest, ApiResponse, PatchType, RequestOptions, Verb } from '../../api/request.ts'
import { builtinResources } from '../../api/resources.ts'
import { type Status, StatusError } from '../../api/status-error.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { MemoryStorage } from '../../storage/memory/memory-storage.ts'
import { type AdmissionPlugin, chain } from '../admission/admission.ts'
import type { TokenIssueRequest } from '../token-issuer.ts'
import { createRegistry, type Registry } from './registry.ts'

export const START = Date.parse('2026-01-01T00:00:00Z')

type Call = Partial<Omit<ApiRequest, 'verb' | 'resource'>>

/** A value that tests look into without knowing its type. */
interface Value {
  [field: string]: Value
}

/** Objects in tests are looked into freely. */
export type Loose = { kind: string; apiVersion: string; metadata: ObjectMeta; items: Loose[] } & Value

export class TestRegistry {
  readonly storage = new MemoryStorage()
  readonly clock = new ManualClock(START)
  readonly logRequests: { node: string; pod: PodReference; options: LogOptions }[] = []
  readonly tokenRequests: TokenIssueRequest[] = []
  readonly registry: Registry

  constructor(plugins: (storage: MemoryStorage) => readonly AdmissionPlugin[] = () => []) {
    const { storage, clock } = this
    const nodeAccess: ReadAccess = {
      logs: async (node, pod, options) => {
        this.logRequests.push({ node, pod, options })
        return (async function* () {
          yield new TextEncoder().encode('line\n')
        })()
      },
      get: async (node, path) => ({ contentType: 'text/plain', body: Buffer.from(`${path} of ${node}`) }),
    }
    const tokenIssuer = {
      issue: async (request: TokenIssueRequest) => {
        this.tokenRequests.push(request)
        return { token: 'a-token', expirationTimestamp: '2026-01-01T01:00:00Z' }
      },
    }
    this.registry = createRegistry({
      storage,
      clock,
      admission: chain(plugins(storage)),
      nodeAccess,
      tokenIssuer,
    })
  }

  /** `resource`: 'pods', 'pods/status', 'apps/v1/deployments', 'apps/v1/deployments/scale'. */
  send(verb: Verb, resource: string, call: Call = {}): Promise<ApiResponse> {
    const parts = resource.split('/')
    const grouped = parts.length > 2
    const [group = '', version = ''] = grouped ? parts : ['', 'v1']
    const [plural = '', subresource] = grouped ? parts.slice(2) : parts
    const info = builtinResources.find(one => one.resource === plural && one.group === group)
    const user = { name: 'tester', groups: ['system:masters'] }
    const namespace = info?.namespaced ? { namespace: 'ns' } : {}
    const request = {
      user,
      verb,
      group,
      version,
      resource: plural,
      ...(subresource && { subresource }),
      ...namespace,
      ...call,
    }
    return this.registry.handle(request as ApiRequest)
  }

  async object(verb: Verb, resource: string, call?: Call): Promise<Loose> {
    const response = await this.send(verb, resource, call)
    assert.equal(response.kind, 'object')
    return (response as unknown as { object: Loose }).object
  }

  create(resource: string, body: unknown, call?: Call): Promise<Loose> {
    return this.object('create', resource, { body: structuredClone(body), ...call })
  }

  get(resource: string, name: string, call?: Call): Promise<Loose> {
    return this.object('get', resource, { name, ...call })
  }

  update(resource: string, body: Loose, call?: Call): Promise<Loose> {
    return this.object('update', resource, { name: body.metadata.name, body, ...call })
  }

  patch(
    resource: string,
    name: string,
    document: unknown,
    type: string = 'merge',
    call?: Call,
  ): Promise<Loose> {
    const types: Record<string, PatchType> = {
      merge: 'application/merge-patch+json',
      strategic: 'application/strategic-merge-patch+json',
      json: 'application/json-patch+json',
      apply: 'application/apply-patch+yaml',
    }
    return this.object('patch', resource, { name, patch: { type: types[type]!, document }, ...call })
  }

  async list(resource: string, options: RequestOptions = {}, call?: Call): Promise<KubeList<KubeObject>> {
    return (await this.object('list', resource, { options, ...call })) as unknown as KubeList<KubeObject>
  }

  async watch(resource: string, options: RequestOptions = {}, call?: Call): Promise<WatchRecord> {
    const response = await this.send('watch', resource, { options, ...call })
    assert.equal(response.kind, 'watch')
    return new WatchRecord((response as { events: AsyncIterable<WatchEvent<KubeObject>> }).events)
  }
}

/** Collects what a watch sends. */
export class WatchRecord {
  readonly events: WatchEvent<KubeObject>[] = []
  ended = false
  error: unknown

  constructor(events: AsyncIterable<WatchEvent<KubeObject>>) {
    void this.#read(events)
  }

  async #read(events: AsyncIterable<WatchEvent<KubeObject>>): Promise<void> {
    try {
      for await (const event of events) this.events.push(event)
    } catch (error) {
      this.error = error
    }
    this.ended = true
  }

  /** 'ADDED web', in order, after everything that is under way has arrived. */
  async seen(): Promise<string[]> {
    await settle()
    return this.events.map(({ type, object }) =>
      type === 'BOOKMARK' ? type : `${type} ${object.metadata.name}`,
    )
  }
}

/** The Status that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<Status> {
  try {
    await call
  } catch (error) {
    if (error instanceof StatusError) return error.status
    throw error
  }
  throw new assert.AssertionError({ message: 'the call did not fail' })
}

export function pod(name: string, spec: object = {}, metadata: object = {}) {
  return { metadata: { name, ...metadata }, spec: { containers: [{ name: 'c', image: 'nginx:1' }], ...spec } }
}
