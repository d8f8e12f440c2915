// What one run of a probe came to.

export interface ProbeOutcome {
  /** A warning counts as success; an error says nothing about the container. */
  result: 'success' | 'warning' | 'failure' | 'error'
  /** For the event. */
  output: string
}

/** Of a command's output, an answer's body. */
export const OUTPUT_BYTES = 10 * 1024

export const failed = (output: string): ProbeOutcome => ({ result: 'failure', output })
