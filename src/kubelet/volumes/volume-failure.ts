/** A failure whose event has words of its own, not those of a set-up that failed. */
export class VolumeFailure extends Error {
  readonly reason: 'FailedMount' | 'FailedMapVolume'

  constructor(reason: 'FailedMount' | 'FailedMapVolume', message: string) {
    super(message)
    this.reason = reason
  }
}

/** No failure: others have to do something first, as an attacher. Who sees that it is done has the volume tried again. */
export class VolumeAwaited extends Error {}
