/** Makes service account tokens for serviceaccounts/token; the authenticator that will be shown them implements it. */
export interface TokenIssuer {
  issue(request: TokenIssueRequest): Promise<{ token: string; expirationTimestamp: string }>
}

export interface TokenIssueRequest {
  namespace: string
  serviceAccount: string
  /** The ServiceAccount's uid. */
  uid: string
  /** Empty: the API server's own. */
  audiences: string[]
  expirationSeconds: number
  /** The token dies with this object. */
  boundObject?: { apiVersion: string; kind: string; name: string; uid: string }
}
