// Names that sandboxes and containers hold while they exist, so that a repeated request makes no twin.
// As containerd and CRI-O reserve them: name, namespace, uid and attempt together are one name.
import type { ContainerMetadata, PodSandboxMetadata } from './cri.generated.ts'
import { CRI_CODE, CriError, criInvalid } from './cri-error.ts'

const sandboxName = ({ name, namespace, uid, attempt }: PodSandboxMetadata) =>
  [name, namespace, uid, attempt ?? 0].join('_')

const containerName = (sandboxId: string, { name, attempt }: ContainerMetadata) =>
  [name, sandboxId, attempt ?? 0].join('_')

interface NamedSandbox {
  id: string
  metadata: PodSandboxMetadata
}

interface NamedContainer {
  id: string
  podSandboxId: string
  metadata: ContainerMetadata
}

/** Throws InvalidArgument without a name, AlreadyExists when a sandbox of that name is there. */
export function checkSandboxName(
  metadata: PodSandboxMetadata | undefined,
  present: Iterable<NamedSandbox>,
): void {
  if (!metadata?.name) throw criInvalid('sandbox config must include metadata with a name')
  const wanted = sandboxName(metadata)
  for (const { id, metadata: taken } of present) {
    if (sandboxName(taken) === wanted) throw reserved('sandbox', wanted, id)
  }
}

/** Throws InvalidArgument without a name, AlreadyExists when the sandbox has a container of that name and attempt. */
export function checkContainerName(
  sandboxId: string,
  metadata: ContainerMetadata | undefined,
  present: Iterable<NamedContainer>,
): void {
  if (!metadata?.name) throw criInvalid('container config must include metadata with a name')
  const wanted = containerName(sandboxId, metadata)
  for (const { id, podSandboxId, metadata: taken } of present) {
    if (podSandboxId === sandboxId && containerName(podSandboxId, taken) === wanted) {
      throw reserved('container', wanted, id)
    }
  }
}

const reserved = (what: string, name: string, id: string) =>
  new CriError(
    CRI_CODE.alreadyExists,
    `failed to reserve ${what} name "${name}": name "${name}" is reserved for "${id}"`,
  )
