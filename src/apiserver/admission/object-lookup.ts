import type { KubeObject } from '../../api/kube-object.ts'

/** How plugins see other objects: the newest acknowledged state, from memory. */
export interface ObjectLookup {
  namespace(name: string): KubeObject | undefined
  pod(namespace: string, name: string): KubeObject | undefined
  node(name: string): KubeObject | undefined
  serviceAccount(namespace: string, name: string): KubeObject | undefined
  /** All of a namespaced resource in one namespace, in key order. `resource`: 'limitranges', 'apps/deployments'. */
  listIn(resource: string, namespace: string): Promise<KubeObject[]>
  /** All of a resource. */
  listAll(resource: string): Promise<KubeObject[]>
  /** One cluster-scoped object. */
  find(resource: string, name: string): KubeObject | undefined
  /** One namespaced object. */
  findIn(resource: string, namespace: string, name: string): KubeObject | undefined
  priorityClass(name: string): KubeObject | undefined
  /** In key order. */
  priorityClasses(): Promise<KubeObject[]>
}
