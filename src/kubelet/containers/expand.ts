/**
 * Replaces $(NAME) by its value; $$ stands for one $, and a reference to an unknown name stays as it is.
 * Upstream: third_party/forked/golang/expansion.
 */
export function expand(text: string, value: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) => {
    if (name === undefined) return '$'
    return value(name) ?? whole
  })
}
