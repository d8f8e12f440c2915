// How much a pattern may ask for. One process is the whole cluster, so what takes long is refused before it begins.

/** Of the text of a pattern, in UTF-16 units. Longer ones could take half a second to compile. */
export const LONGEST_PATTERN = 50_000
/** Of the compiled program; counted repetitions count as often as they repeat. */
export const MOST_INSTRUCTIONS = 50_000
/** Each \p{…} holds a table with up to a thousand ranges. */
export const MOST_UNICODE_CLASSES = 1_000
/** Instructions times characters of the text: what one match looks at in the worst case, some seconds when nothing helps, milliseconds as a rule. */
export const MOST_WORK = 200_000_000
/** Looking for all matches can be quadratic in the text even where one match is linear. */
export const LONGEST_SEARCH_MS = 1_000
/** Bytes of the states that one pattern remembers. */
export const MOST_STATE_MEMORY = 1 << 20
