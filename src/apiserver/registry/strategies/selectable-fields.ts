// Fields that field selectors may name, per resource. Upstream: the ToSelectableFields of pkg/registry and the
// AddFieldLabelConversionFunc of pkg/apis.
import type { KubeObject } from '../../../api/kube-object.ts'
import type { SelectableField } from '../strategy.ts'

/** Reads 'a.b.c' as text; what is absent is `absent`. */
function at(path: string, absent = ''): SelectableField {
  const parts = path.split('.')
  return object => {
    let value: unknown = object
    for (const part of parts) value = (value as Record<string, unknown> | undefined)?.[part]
    return value === undefined || value === null ? absent : String(value)
  }
}

const podIP: SelectableField = object => {
  const { podIPs } = (object as KubeObject & { status: { podIPs?: { ip: string }[] } }).status
  return podIPs?.[0]?.ip ?? ''
}

const eventSource: SelectableField = object => {
  const event = object as KubeObject & { source?: { component?: string }; reportingComponent?: string }
  return event.source?.component || event.reportingComponent || ''
}

function involved(prefix: string): Record<string, SelectableField> {
  const fields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']
  return Object.fromEntries(fields.map(field => [`${prefix}.${field}`, at(`involvedObject.${field}`)]))
}

/** Keys are 'pods', 'jobs.batch' as qualifiedName writes them. */
export const selectableFields: Readonly<Record<string, Readonly<Record<string, SelectableField>>>> = {
  pods: {
    'spec.nodeName': at('spec.nodeName'),
    'spec.restartPolicy': at('spec.restartPolicy'),
    'spec.schedulerName': at('spec.schedulerName'),
    'spec.serviceAccountName': at('spec.serviceAccountName'),
    'spec.hostNetwork': at('spec.hostNetwork', 'false'),
    'status.phase': at('status.phase'),
    'status.podIP': podIP,
    'status.nominatedNodeName': at('status.nominatedNodeName'),
  },
  nodes: { 'spec.unschedulable': at('spec.unschedulable', 'false') },
  namespaces: { 'status.phase': at('status.phase') },
  secrets: { type: at('type') },
  services: { 'spec.clusterIP': at('spec.clusterIP'), 'spec.type': at('spec.type') },
  replicationcontrollers: { 'status.replicas': at('status.replicas', '0') },
  'replicasets.apps': { 'status.replicas': at('status.replicas', '0') },
  'jobs.batch': { 'status.successful': at('status.succeeded', '0') },
  'certificatesigningrequests.certificates.k8s.io': { 'spec.signerName': at('spec.signerName') },
  'resourceslices.resource.k8s.io': {
    'spec.nodeName': at('spec.nodeName'),
    'spec.driver': at('spec.driver'),
  },
  events: {
    ...involved('involvedObject'),
    ...involved('regarding'),
    reason: at('reason'),
    type: at('type'),
    source: eventSource,
    reportingComponent: at('reportingComponent'),
    reportingController: at('reportingComponent'),
  },
}
