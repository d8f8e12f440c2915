// The real API server over memory storage, in this process, with a namespace 'default'. No admission, no nodes.
import type { Draft } from '../src/api/kube-object.ts'
import { namespaces } from '../src/api/resources.ts'
import type { Namespace } from '../src/api/types/core-v1.ts'
import { chain } from '../src/apiserver/admission/admission.ts'
import { createRegistry } from '../src/apiserver/registry/registry.ts'
import type { Clock } from '../src/base/clock.ts'
import { Client } from '../src/client/client.ts'
import { MemoryStorage } from '../src/storage/memory/memory-storage.ts'

export const NAMESPACE = 'default'

export async function memoryCluster(clock: Clock): Promise<Client> {
  const none = () => Promise.reject(new Error('there is none'))
  const registry = createRegistry({
    storage: new MemoryStorage(),
    clock,
    admission: chain([]),
    nodeAccess: { logs: none, get: none },
    tokenIssuer: { issue: none },
  })
  const client = new Client(registry.handle, { name: 'bench', groups: ['system:masters'] })
  await client.create(namespaces, { metadata: { name: NAMESPACE } } as Draft<Namespace>)
  return client
}
