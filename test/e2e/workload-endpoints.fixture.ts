// What requests about workloads answer, as far as the tests look at it.

export interface ListOf<T> {
  metadata: { resourceVersion: string }
  items: T[]
}

export interface WithStatus {
  metadata: {
    name: string
    uid: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  status: { conditions?: object[]; observedGeneration?: number }
}

export const NAMESPACE = 'namespaces/default'
