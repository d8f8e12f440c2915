// Long texts as keys of many maps: the same object for the same text, so that comparing them is comparing pointers.

const MOST_TEXTS = 10_000
const texts = new Map<string, string>()

/** Equal to `text`; the same object every time, as long as not too many others came in between. */
export function oneText(text: string): string {
  const known = texts.get(text)
  if (known !== undefined) return known
  if (texts.size >= MOST_TEXTS) texts.clear()
  texts.set(text, text)
  return text
}
