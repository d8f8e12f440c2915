// The config documents of images as they were published, one file each, named by the image's id.
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

export class ConfigFiles {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Creates the directory if need be. */
  static async open(directory: string): Promise<ConfigFiles> {
    await mkdir(directory, { recursive: true, mode: 0o711 })
    return new ConfigFiles(directory)
  }

  has(imageId: string): boolean {
    return existsSync(this.#fileOf(imageId))
  }

  read(imageId: string): Promise<Buffer> {
    return readFile(this.#fileOf(imageId))
  }

  /** Whole and on disk, or not there at all. */
  async write(imageId: string, content: Uint8Array): Promise<void> {
    const file = this.#fileOf(imageId)
    await writeFile(`${file}.new`, content, { mode: 0o600, flush: true })
    await rename(`${file}.new`, file)
  }

  async remove(imageId: string): Promise<void> {
    await rm(this.#fileOf(imageId), { force: true })
  }

  async keepOnly(imageIds: readonly string[]): Promise<void> {
    const known = new Set(imageIds.map(id => path.basename(this.#fileOf(id))))
    for (const name of await readdir(this.#directory)) {
      if (!known.has(name)) await rm(path.join(this.#directory, name), { force: true })
    }
  }

  #fileOf(imageId: string): string {
    return path.join(this.#directory, imageId.replace('sha256:', ''))
  }
}
