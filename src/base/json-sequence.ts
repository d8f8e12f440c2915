/** Flat JSON objects that follow each other in a stream of bytes, cut anywhere. What is no JSON is dropped. */
export class JsonSequence {
  readonly #mostBytes: number
  #text = ''

  /** A text longer than `mostBytes` without an end is not kept. */
  constructor(mostBytes = 1_024) {
    this.#mostBytes = mostBytes
  }

  /** The objects that are complete now. Objects within objects are not expected. */
  push(chunk: Buffer): object[] {
    this.#text += chunk.toString('utf8')
    const objects: object[] = []
    for (let end = this.#text.indexOf('}'); end >= 0; end = this.#text.indexOf('}')) {
      const object = parse(this.#text.slice(0, end + 1))
      this.#text = this.#text.slice(end + 1)
      if (object) objects.push(object)
    }
    if (this.#text.length > this.#mostBytes) this.#text = ''
    return objects
  }
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
