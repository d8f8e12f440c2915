// Image references as far as the kubelet needs them: default tag, and the registry whose credentials apply.

/** Adds ':latest' where neither tag nor digest is given. Throws what InspectFailed shows. Upstream: applyDefaultImageTag. */
export function withDefaultTag(image: string): string {
  const match = REFERENCE.exec(image)
  if (!match) {
    const cause = /[A-Z]/.test(image.split(/[:@]/)[0]!.split('/').at(-1) ?? '')
      ? 'repository name must be lowercase'
      : 'invalid reference format'
    throw new Error(
      `couldn't parse image name "${image}": ${cause === 'invalid reference format' ? cause : `invalid reference format: ${cause}`}`,
    )
  }
  return match[2] === undefined && match[3] === undefined ? `${image}:latest` : image
}

const REFERENCE =
  /^((?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-.]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,}))?$/

/** 'docker.io/library/nginx' for 'nginx:1': what credentials are looked up by. */
export function repositoryOf(image: string): string {
  const name = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const first = name.split('/')[0]!
  const hasHost = name.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  if (hasHost) return name
  return `docker.io/${name.includes('/') ? name : `library/${name}`}`
}
