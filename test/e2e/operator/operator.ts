// A small operator as its author would write it with the JavaScript client: Websites become a ConfigMap and a
// Deployment. It runs inside a pod with its service account; of several, the holder of a Lease works.
import {
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
  makeInformer,
  V1MicroTime,
} from '@kubernetes/client-node'

const GROUP = { group: 'example.com', version: 'v1', plural: 'websites' }
const LEASE = 'website-operator'
const LEASE_SECONDS = 4

interface Website extends KubernetesObject {
  spec: { page: string; replicas?: number }
}

const config = new KubeConfig()
config.loadFromCluster()
const core = config.makeApiClient(CoreV1Api)
const apps = config.makeApiClient(AppsV1Api)
const leases = config.makeApiClient(CoordinationV1Api)
const custom = config.makeApiClient(CustomObjectsApi)
const me = process.env.POD_NAME!
const namespace = process.env.POD_NAMESPACE!

const codeOf = (error: unknown) => (error as { code?: number }).code
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Takes or renews the Lease; false while another holds it. A conflict means that another was quicker. */
async function lead(): Promise<boolean> {
  const now = new V1MicroTime()
  const mine = { holderIdentity: me, leaseDurationSeconds: LEASE_SECONDS, renewTime: now }
  try {
    const lease = await leases.readNamespacedLease({ name: LEASE, namespace })
    const { holderIdentity, renewTime } = lease.spec ?? {}
    const isFree = !renewTime || Date.now() - new Date(renewTime).getTime() > LEASE_SECONDS * 1000
    if (holderIdentity !== me && !isFree) return false
    await leases.replaceNamespacedLease({
      name: LEASE,
      namespace,
      body: { ...lease, spec: { ...lease.spec, ...mine } },
    })
    return true
  } catch (error) {
    if (codeOf(error) === 409) return false
    if (codeOf(error) !== 404) throw error
    await leases.createNamespacedLease({ namespace, body: { metadata: { name: LEASE }, spec: mine } })
    return true
  }
}

async function createOrPatch(create: () => Promise<unknown>, patch: () => Promise<unknown>): Promise<void> {
  try {
    await create()
  } catch (error) {
    if (codeOf(error) !== 409) throw error
    await patch()
  }
}

async function reconcile({ metadata, spec }: Website): Promise<void> {
  const name = metadata!.name!
  const ownerReferences = [
    { apiVersion: 'example.com/v1', kind: 'Website', name, uid: metadata!.uid!, controller: true },
  ]
  const own = { name, ownerReferences }
  const page = { metadata: own, data: { 'index.html': spec.page } }
  await createOrPatch(
    () => core.createNamespacedConfigMap({ namespace, body: page }),
    () =>
      core.patchNamespacedConfigMap({
        name,
        namespace,
        body: [{ op: 'replace', path: '/data', value: page.data }],
      }),
  )
  const replicas = spec.replicas ?? 1
  const container = {
    name: 'nginx',
    image: 'nginx:1.22',
    readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'page', mountPath: '/usr/share/nginx/html' }],
  }
  const deployment = {
    metadata: own,
    spec: {
      replicas,
      selector: { matchLabels: { website: name } },
      template: {
        metadata: { labels: { website: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [container],
          volumes: [{ name: 'page', configMap: { name } }],
        },
      },
    },
  }
  await createOrPatch(
    () => apps.createNamespacedDeployment({ namespace, body: deployment }),
    () =>
      apps.patchNamespacedDeployment({
        name,
        namespace,
        body: [{ op: 'replace', path: '/spec/replicas', value: replicas }],
      }),
  )
}

async function reportReady(name: string, ready: number): Promise<void> {
  const body = [{ op: 'add', path: '/status', value: { ready, by: me } }]
  await custom.patchNamespacedCustomObjectStatus({ ...GROUP, namespace, name, body })
}

const complain = (error: unknown) => console.error(error)

async function work(): Promise<void> {
  const path = `/apis/${GROUP.group}/${GROUP.version}/namespaces/${namespace}/${GROUP.plural}`
  const websites = makeInformer<Website>(config, path, () =>
    custom.listNamespacedCustomObject({ ...GROUP, namespace }),
  )
  websites.on('add', website => void reconcile(website).catch(complain))
  websites.on('update', website => void reconcile(website).catch(complain))
  const deployments = makeInformer(config, `/apis/apps/v1/namespaces/${namespace}/deployments`, () =>
    apps.listNamespacedDeployment({ namespace }),
  )
  deployments.on('change', ({ metadata, status }) => {
    const owner = metadata?.ownerReferences?.find(({ kind }) => kind === 'Website')
    if (owner) void reportReady(owner.name, status?.readyReplicas ?? 0).catch(complain)
  })
  await Promise.all([websites.start(), deployments.start()])
  console.log('informers started')
}

while (!(await lead())) await sleep(500)
console.log(`${me} leads`)
await work()
for (;;) {
  await sleep(1000)
  if (!(await lead())) process.exit(1)
}
