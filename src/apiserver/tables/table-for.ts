// Which table prints which resource. Custom resources and the kinds not named here get the default.
import type { KubeObject } from '../../api/kube-object.ts'
import { apiServiceTable } from './api-services.ts'
import * as apps from './apps.ts'
import * as batch from './batch.ts'
import * as cluster from './cluster.ts'
import * as core from './core.ts'
import { defaultTable } from './default-table.ts'
import * as devices from './devices.ts'
import { eventTable } from './events.ts'
import { eventV1Table } from './events-v1.ts'
import * as networking from './networking.ts'
import { nodeTable } from './nodes.ts'
import { podTable, podTemplateTable } from './pods.ts'
import * as policy from './policy.ts'
import * as security from './security.ts'
import * as storage from './storage.ts'
import type { TableKind } from './table.ts'

/** How objects of a resource are printed. `version` matters where versions differ in shape. */
export function tableFor(resource: { group: string; version: string; resource: string }): TableKind {
  const { group, version, resource: plural } = resource
  return tables.get(`${group}/${version}/${plural}`) ?? tables.get(`${group}/${plural}`) ?? defaultTable
}

const tables = new Map<string, TableKind>()

/** The registry only ever hands a resource's own objects to its table. */
function register<T>(path: string, table: TableKind<T>): void {
  tables.set(path, table as unknown as TableKind<KubeObject>)
}

register('/pods', podTable)
register('/podtemplates', podTemplateTable)
register('/nodes', nodeTable)
register('/events', eventTable)
register('events.k8s.io/events', eventV1Table)
register('/namespaces', core.namespaceTable)
register('/configmaps', core.configMapTable)
register('/secrets', core.secretTable)
register('/serviceaccounts', core.serviceAccountTable)
register('/services', core.serviceTable)
register('/endpoints', core.endpointsTable)
register('/replicationcontrollers', core.replicationControllerTable)
register('/resourcequotas', core.resourceQuotaTable)
register('/componentstatuses', core.componentStatusTable)
register('/persistentvolumes', storage.persistentVolumeTable)
register('/persistentvolumeclaims', storage.persistentVolumeClaimTable)
register('apps/deployments', apps.deploymentTable)
register('apps/replicasets', apps.replicaSetTable)
register('apps/statefulsets', apps.statefulSetTable)
register('apps/daemonsets', apps.daemonSetTable)
register('apps/controllerrevisions', apps.controllerRevisionTable)
register('batch/jobs', batch.jobTable)
register('batch/cronjobs', batch.cronJobTable)
register('discovery.k8s.io/endpointslices', networking.endpointSliceTable)
register('networking.k8s.io/ingresses', networking.ingressTable)
register('networking.k8s.io/ingressclasses', networking.ingressClassTable)
register('networking.k8s.io/networkpolicies', networking.networkPolicyTable)
register('networking.k8s.io/servicecidrs', networking.serviceCidrTable)
register('networking.k8s.io/ipaddresses', networking.ipAddressTable)
register('resource.k8s.io/resourceclaims', devices.resourceClaimTable)
register('resource.k8s.io/resourceslices', devices.resourceSliceTable)
register('resource.k8s.io/resourceclaimtemplates', devices.plainTable)
register('resource.k8s.io/deviceclasses', devices.plainTable)
register('storage.k8s.io/storageclasses', storage.storageClassTable)
register('storage.k8s.io/volumeattributesclasses', storage.volumeAttributesClassTable)
register('storage.k8s.io/volumeattachments', storage.volumeAttachmentTable)
register('storage.k8s.io/csinodes', storage.csiNodeTable)
register('storage.k8s.io/csidrivers', storage.csiDriverTable)
register('autoscaling/horizontalpodautoscalers', policy.horizontalPodAutoscalerTable)
register('autoscaling/v1/horizontalpodautoscalers', policy.horizontalPodAutoscalerV1Table)
register('policy/poddisruptionbudgets', policy.podDisruptionBudgetTable)
register('rbac.authorization.k8s.io/rolebindings', security.roleBindingTable)
register('rbac.authorization.k8s.io/clusterrolebindings', security.roleBindingTable)
register('certificates.k8s.io/certificatesigningrequests', security.certificateSigningRequestTable)
register('admissionregistration.k8s.io/validatingwebhookconfigurations', security.webhookConfigurationTable)
register('admissionregistration.k8s.io/mutatingwebhookconfigurations', security.webhookConfigurationTable)
register('admissionregistration.k8s.io/validatingadmissionpolicies', security.validatingAdmissionPolicyTable)
register(
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  security.validatingAdmissionPolicyBindingTable,
)
register('apiregistration.k8s.io/apiservices', apiServiceTable)
register('coordination.k8s.io/leases', cluster.leaseTable)
register('scheduling.k8s.io/priorityclasses', cluster.priorityClassTable)
register('node.k8s.io/runtimeclasses', cluster.runtimeClassTable)
register('flowcontrol.apiserver.k8s.io/flowschemas', cluster.flowSchemaTable)
register('flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', cluster.priorityLevelTable)
