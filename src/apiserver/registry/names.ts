/** Upstream's SimpleNameGenerator: no vowels, so no words, and nothing that looks like something else. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const MAX_NAME_LENGTH = 63

export type RandomIndex = (below: number) => number

const randomIndex: RandomIndex = below => Math.floor(Math.random() * below)

export function randomSuffix(length: number = SUFFIX_LENGTH, random: RandomIndex = randomIndex): string {
  let suffix = ''
  for (let i = 0; i < length; i++) suffix += ALPHABET[random(ALPHABET.length)]
  return suffix
}

/** The base cut so that the whole fits a label, and five random characters. */
export function generateName(base: string, random?: RandomIndex): string {
  return base.slice(0, MAX_NAME_LENGTH - SUFFIX_LENGTH) + randomSuffix(SUFFIX_LENGTH, random)
}
