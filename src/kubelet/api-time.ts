// metav1.Time and MicroTime from epoch milliseconds.

/** '2026-11-21T03:00:00Z'. */
export const apiTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** '2026-11-21T03:00:00.123000Z'. */
export const apiMicroTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`
