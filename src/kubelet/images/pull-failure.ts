import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'

export interface PullFailure {
  /** Of the waiting container. */
  reason: 'ErrImagePull' | 'RegistryUnavailable' | 'SignatureValidationFailed'
  message: string
}

const CAUSES = {
  RegistryUnavailable: 'the registry is unavailable',
  SignatureValidationFailed: 'the signature validation failed',
} as const

/** What a runtime's failure to pull is shown as. Two causes have a name of their own. Upstream: evalCRIPullErr. */
export function pullFailure(image: string, error: unknown): PullFailure {
  const message = runtimeErrorText(error)
  for (const [name, words] of Object.entries(CAUSES)) {
    if (!message.startsWith(name)) continue
    const reason = name as keyof typeof CAUSES
    return { reason, message: `image pull failed for ${image} because ${words}${message.slice(name.length)}` }
  }
  return { reason: 'ErrImagePull', message }
}
