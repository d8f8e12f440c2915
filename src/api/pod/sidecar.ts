import type { Container } from '../types/core-v1.ts'

/** A restartable init container: it starts in its turn, runs beside the app containers, and ends after them. */
export const isSidecar = (container: Pick<Container, 'restartPolicy'>): boolean =>
  container.restartPolicy === 'Always'
