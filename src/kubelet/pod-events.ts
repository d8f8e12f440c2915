// Events about pods and their containers. The recorder behind it correlates and writes them.
import type { ObjectReference, Pod } from '../api/types/core-v1.ts'
import { referenceTo } from './pod-name.ts'

export type EventType = 'Normal' | 'Warning'

/** What is needed of src/client's event recorder. */
export interface Recorder {
  event(
    about: ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    annotations?: Record<string, string>,
  ): void
}

export class PodEvents {
  readonly #recorder: Recorder

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  /** About something else than a pod. */
  tellAbout(object: ObjectReference, type: EventType, reason: string, message: string): void {
    this.#recorder.event(object, type, reason, message)
  }

  /** Returns at once. With a container's name the event points at it. */
  tell(pod: Pod, type: EventType, reason: string, message: string, container?: string): void {
    this.#recorder.event(referenceTo(pod, container), type, reason, message)
  }
}
