// Who may use an image that is on the node: it was there before, anybody's pull brought it, or the Pod has the
// secret that brought it. Without this a Pod could run what only another Pod's secret opens.
// Source: KEP-2535 (ensure secret pulled images), policy NeverVerifyPreloadedImages;
// upstream pkg/kubelet/images/pullmanager.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuthConfig } from '../../runtime/cri/cri.generated.ts'

/** A secret that opened a registry. `hash` is of the credentials themselves, so that copies of a secret count too. */
export interface PullSecret {
  uid: string
  namespace: string
  name: string
  hash: string
}

/** Who has pulled an image under one repository's name. */
export interface PullAccess {
  /** It came without a Pod's secret: every Pod of the node may use it. */
  everybody: boolean
  secrets: PullSecret[]
}

export interface PulledImage {
  imageRef: string
  /** By the image's name as Pods have it, without tag and digest. */
  access: Record<string, PullAccess>
}

export type Verdict = 'allowed' | 'allowed-by-new-secret' | 'must-pull'

/** Whether a Pod with these secrets may use a present image. `record` is undefined for one that no kubelet pulled. */
export function judgeAccess(
  record: PulledImage | undefined,
  repository: string,
  secrets: readonly PullSecret[],
): Verdict {
  if (!record) return 'allowed'
  const access = record.access[repository]
  if (!access) return 'must-pull'
  if (access.everybody) return 'allowed'
  for (const secret of secrets) {
    const known = access.secrets.some(one => one.hash === secret.hash && isSame(one, secret))
    if (known) return 'allowed'
    // A copy of the secret, or the same secret with new credentials.
    if (access.secrets.some(one => one.hash === secret.hash || isSame(one, secret)))
      return 'allowed-by-new-secret'
  }
  return 'must-pull'
}

const isSame = (a: PullSecret, b: PullSecret) =>
  a.uid === b.uid && a.namespace === b.namespace && a.name === b.name

/** The record after a pull; no secret means that it was anonymous. */
export function withAccess(record: PulledImage, repository: string, secret?: PullSecret): PulledImage {
  const { everybody, secrets } = record.access[repository] ?? { everybody: false, secrets: [] }
  const access: PullAccess =
    everybody || !secret
      ? { everybody: true, secrets: [] }
      : { everybody: false, secrets: [...secrets.filter(one => !isSame(one, secret)), secret] }
  return { ...record, access: { ...record.access, [repository]: access } }
}

/** 'localhost:5000/app' for 'localhost:5000/app:v1@sha256:…'. */
export const withoutTag = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')

export const hashOf = (auth: AuthConfig): string =>
  createHash('sha256').update(JSON.stringify(auth)).digest('hex')

/**
 * The records on disk, one file per image, read once; and intents, one file per image name being pulled: an intent
 * that outlived the program means that the image may be there by somebody's secret, and nobody knows whose.
 */
export class PulledImages {
  readonly #pulled: string
  readonly #pulling: string
  readonly #records = new Map<string, PulledImage>()
  /** Pulls under way by image name. */
  readonly #underWay = new Map<string, number>()
  /** Intents that a crash left: they stay until a pull succeeds. */
  readonly #left: Set<string>

  /** `folder` is the kubelet's image_manager directory. */
  constructor(folder: string) {
    this.#pulled = join(folder, 'pulled')
    this.#pulling = join(folder, 'pulling')
    for (const one of [this.#pulled, this.#pulling]) mkdirSync(one, { recursive: true, mode: 0o700 })
    for (const text of textsIn(this.#pulled)) {
      const record = JSON.parse(text) as PulledImage
      this.#records.set(record.imageRef, record)
    }
    this.#left = new Set(textsIn(this.#pulling))
  }

  /** Whether the answer of mustPull depends on the Pod's secrets. */
  isGuarded(image: string, imageRef: string): boolean {
    return this.#records.has(imageRef) || this.#isIntended(image)
  }

  /** Whether the image must be pulled again with the Pod's own secrets, though it is there. */
  mustPull(image: string, imageRef: string, secrets: readonly PullSecret[]): boolean {
    const record = this.#records.get(imageRef)
    if (!record) return this.#isIntended(image)
    const verdict = judgeAccess(record, withoutTag(image), secrets)
    if (verdict === 'allowed-by-new-secret')
      for (const secret of secrets) this.pulled(image, imageRef, secret)
    return verdict === 'must-pull'
  }

  /** Notes the pull while it goes on; what it throws, this throws. */
  async during(
    image: string,
    pull: () => Promise<{ imageRef: string; secret?: PullSecret }>,
  ): Promise<string> {
    if (!this.#isIntended(image)) writeAtomically(fileIn(this.#pulling, image), image)
    this.#underWay.set(image, (this.#underWay.get(image) ?? 0) + 1)
    try {
      const { imageRef, secret } = await pull()
      this.pulled(image, imageRef, secret)
      this.#left.delete(image)
      return imageRef
    } finally {
      this.#ended(image)
    }
  }

  #isIntended(image: string): boolean {
    return this.#underWay.has(image) || this.#left.has(image)
  }

  #ended(image: string): void {
    const others = this.#underWay.get(image)! - 1
    if (others > 0) this.#underWay.set(image, others)
    else this.#underWay.delete(image)
    if (!this.#isIntended(image)) rmSync(fileIn(this.#pulling, image), { force: true })
  }

  pulled(image: string, imageRef: string, secret?: PullSecret): void {
    const record = this.#records.get(imageRef) ?? { imageRef, access: {} }
    const next = withAccess(record, withoutTag(image), secret)
    this.#records.set(imageRef, next)
    writeAtomically(fileIn(this.#pulled, imageRef), JSON.stringify(next))
  }

  /** Drops the records of images that are gone: whoever brings them next is not bound by them. */
  keepOnly(imageRefs: ReadonlySet<string>): void {
    for (const ref of this.#records.keys()) {
      if (imageRefs.has(ref)) continue
      this.#records.delete(ref)
      rmSync(fileIn(this.#pulled, ref), { force: true })
    }
  }
}

const fileIn = (folder: string, key: string) => join(folder, createHash('sha256').update(key).digest('hex'))

function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function textsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => !name.endsWith('.new'))
    .map(name => readFileSync(join(folder, name), 'utf8'))
}
