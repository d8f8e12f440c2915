/** The attributes of a certificate's subject as Node shows it: one a line, line ends inside values escaped. */
export function subjectAttributes(subject: string): [key: string, value: string][] {
  return subject.split('\n').map(line => {
    const equals = line.indexOf('=')
    return [line.slice(0, equals), line.slice(equals + 1).replace(/\\(.)/g, '$1')]
  })
}

/** CN is the name, each O a group. Upstream: x509.CommonNameUserConversion. Undefined without a name. */
export function subjectUser(subject: string): { name: string; groups: string[] } | undefined {
  const attributes = subjectAttributes(subject)
  const name = attributes.find(([key]) => key === 'CN')?.[1]
  if (!name) return undefined
  return { name, groups: attributes.filter(([key]) => key === 'O').map(([, value]) => value) }
}
