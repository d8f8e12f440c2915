// Priority levels and flow schemas that every cluster begins with. Facts of upstream's flowcontrol bootstrap/default.go.
// apiserver/flow-control works by them.
import type {
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
  Subject,
} from '../types/flowcontrol-v1.ts'

function queued(
  shares: number,
  lendable: number,
  queues = 128,
  handSize = 6,
): PriorityLevelConfigurationSpec {
  const queuing = { queues, handSize, queueLengthLimit: 50 }
  return {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse: { type: 'Queue', queuing },
      lendablePercent: lendable,
    },
  }
}

export const priorityLevels: Record<string, PriorityLevelConfigurationSpec> = {
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'catch-all': {
    type: 'Limited',
    limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' }, lendablePercent: 0 },
  },
  system: queued(30, 33, 64),
  'node-high': queued(40, 25, 64),
  'leader-election': queued(10, 0, 16, 4),
  'workload-high': queued(40, 50),
  'workload-low': queued(100, 90),
  'global-default': queued(20, 50),
}

const group = (name: string): Subject => ({ kind: 'Group', group: { name } })
const user = (name: string): Subject => ({ kind: 'User', user: { name } })
const account = (name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace: 'kube-system', name },
})

const on = (
  verbs: string,
  apiGroups: string,
  resources: string,
  namespaces: string[],
  clusterScope?: true,
): ResourcePolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: [apiGroups],
  resources: resources.split(' '),
  namespaces,
  ...(clusterScope && { clusterScope }),
})

const EVERYTHING = {
  resourceRules: [on('*', '*', '*', ['*'], true)],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const LEASES = 'coordination.k8s.io'
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')]
const MANAGER = user('system:kube-controller-manager')
const SCHEDULER = user('system:kube-scheduler')

function flow(
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  ...rules: PolicyRulesWithSubjects[]
): FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence,
    ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
    rules,
  }
}

export const flowSchemas: Record<string, FlowSchemaSpec> = {
  exempt: flow('exempt', 1, undefined, { subjects: [group('system:masters')], ...EVERYTHING }),
  probes: flow('exempt', 2, undefined, {
    subjects: EVERYBODY,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  'system-leader-election': flow('leader-election', 100, 'ByUser', {
    subjects: [MANAGER, SCHEDULER],
    resourceRules: [on('get create update', LEASES, 'leases', ['*'])],
  }),
  'endpoint-controller': flow('workload-high', 150, 'ByUser', {
    subjects: [MANAGER, account('endpoint-controller'), account('endpointslicemirroring-controller')],
    resourceRules: [on('get create update', '', 'endpoints', ['*'])],
  }),
  'workload-leader-election': flow('leader-election', 200, 'ByUser', {
    subjects: [account('*')],
    resourceRules: [on('get create update', LEASES, 'leases', ['*'])],
  }),
  'system-node-high': flow('node-high', 400, 'ByUser', {
    subjects: [group('system:nodes')],
    resourceRules: [on('*', '', 'nodes nodes/status', ['*'], true), on('*', LEASES, 'leases', ['*'])],
  }),
  'system-nodes': flow('system', 500, 'ByUser', { subjects: [group('system:nodes')], ...EVERYTHING }),
  'kube-controller-manager': flow('workload-high', 800, 'ByNamespace', {
    subjects: [MANAGER],
    ...EVERYTHING,
  }),
  'kube-scheduler': flow('workload-high', 800, 'ByNamespace', { subjects: [SCHEDULER], ...EVERYTHING }),
  'kube-system-service-accounts': flow('workload-high', 900, 'ByNamespace', {
    subjects: [account('*')],
    ...EVERYTHING,
  }),
  'service-accounts': flow('workload-low', 9000, 'ByUser', {
    subjects: [group('system:serviceaccounts')],
    ...EVERYTHING,
  }),
  'global-default': flow('global-default', 9900, 'ByUser', { subjects: EVERYBODY, ...EVERYTHING }),
  'catch-all': flow('catch-all', 10000, 'ByUser', { subjects: EVERYBODY, ...EVERYTHING }),
}

/** What nobody may change. */
export const MANDATORY = ['exempt', 'catch-all']
