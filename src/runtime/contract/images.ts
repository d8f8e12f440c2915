import assert from 'node:assert/strict'
import type { Suite } from './suite.ts'

/** Nobody listens there: the answer comes at once, with or without a network. */
const NOWHERE = '127.0.0.1:1/none/image:1'

export function imageTests({ check, lacks }: Suite): void {
  check('an image is found by name and by id, and listed', async (_, { service, image }) => {
    const status = async (name: string) =>
      (await service.imageStatus({ image: { image: name }, verbose: false })).image
    const found = await status(image)
    assert.ok(found && found.id !== '' && found.size > 0)
    assert.equal((await status(found.id))?.id, found.id)
    const { images } = await service.listImages({})
    assert.ok(images.some(({ id }) => id === found.id))
    if (lacks('imageFilter')) return
    const { images: named } = await service.listImages({ filter: { image: { image } } })
    assert.deepEqual(
      named.map(({ id }) => id),
      [found.id],
    )
  })

  check('an image that is not there is no error', async (_, { service }) => {
    const answer = await service.imageStatus({ image: { image: NOWHERE }, verbose: false })
    assert.equal(answer.image, undefined)
    await service.removeImage({ image: { image: NOWHERE } })
  })

  check('an image that cannot be pulled is refused with its name', async (_, { service }) => {
    await assert.rejects(service.pullImage({ image: { image: NOWHERE } }), /127\.0\.0\.1:1\/none\/image/)
  })

  check('a container tells its image', async (pod, { service, image }) => {
    const id = await pod.create('app')
    const { image: found } = await service.imageStatus({ image: { image }, verbose: false })
    const { containers } = await service.listContainers({ filter: { id } })
    assert.ok([found!.id, ...found!.repoDigests].includes(containers[0]!.imageRef))
  })

  check('images take room', async (_, { service }) => {
    const { imageFilesystems } = await service.imageFsInfo({})
    assert.equal(imageFilesystems.length, 1)
    assert.ok((imageFilesystems[0]!.usedBytes?.value ?? 0) > 0)
    assert.notEqual(imageFilesystems[0]!.fsId?.mountpoint ?? '', '')
  })
}
