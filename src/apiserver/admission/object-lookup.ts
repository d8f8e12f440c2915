import type { KubeObject } from '../../api/kube-object.ts'

/** How plugins see other objects: the newest acknowledged state, from memory. */
export interface ObjectLookup {
  namespace(name: string): KubeObject | undefined
  pod(namespace: string, name: string): KubeObject | undefined
  node(name: string): KubeObject | undefined
  serviceAccount(namespace: string, name: string): KubeObject | undefined
  priorityClass(name: string): KubeObject | undefined
  /** In key order. */
  priorityClasses(): Promise<KubeObject[]>
}
