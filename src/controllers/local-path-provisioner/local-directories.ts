/** The node's directories, as an interface so that tests run without a disk. */
export interface LocalDirectories {
  /** Answers its path. */
  make(name: string): Promise<string>
  /** A file of this size that takes no room before it is written to, for volumes of mode Block; answers its path. */
  makeFile(name: string, bytes: number): Promise<string>
  /** The file is this large from now on. */
  grow(path: string, bytes: number): Promise<void>
  remove(path: string): Promise<void>
}
