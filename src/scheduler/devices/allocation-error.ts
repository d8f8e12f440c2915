/** Something is wrong with a claim or a class: no node can help. The text is upstream's. */
export class AllocationError extends Error {}

/** The search has taken too long for this node. */
export class SearchTimeout extends Error {}
