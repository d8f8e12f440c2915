// A world in which the scheduler runs over the real API server; the test plays nodes and everybody else.
import type { Draft } from '../../api/kube-object.ts'
import { nodes, pods } from '../../api/resources.ts'
import type { Node, Pod, PodSpec } from '../../api/types/core-v1.ts'
import type { AdmissionPlugin } from '../../apiserver/admission/admission.ts'
import { EventsV1Recorder } from '../../client/events/events-v1-recorder.ts'
import { ControlWorld } from '../../controllers/testing/control-world.fixture.ts'
import type { Plugin } from '../framework.ts'
import { defaultPlugins } from '../plugins/default-plugins.ts'
import { Scheduler } from '../scheduler.ts'

const NAMESPACE = 'default'

export class SchedulerLab {
  readonly world: ControlWorld

  private constructor(world: ControlWorld) {
    this.world = world
  }

  static async create({
    running = true,
    admission = [],
  }: {
    running?: boolean
    admission?: readonly AdmissionPlugin[]
  } = {}): Promise<SchedulerLab> {
    const lab = new SchedulerLab(await ControlWorld.create({ plugins: () => admission }))
    if (running) lab.run()
    return lab
  }

  /** Returns how to stop it. */
  run(plugins: readonly Plugin[] = defaultPlugins): () => Promise<void> {
    const { client, clock, log } = this.world
    const recorder = new EventsV1Recorder({
      client,
      reportingController: 'default-scheduler',
      hostname: 'test',
      clock,
      log,
      random: () => 0.5,
    })
    const scheduler = new Scheduler({ client, clock, log, recorder, random: () => 0, plugins })
    return this.world.start(signal => scheduler.run(signal))
  }

  async addNode(name: string, cpu = '2', more: Partial<Node['spec']> = {}): Promise<void> {
    const allocatable = { cpu, memory: '8Gi', pods: '110' }
    const metadata = { name, labels: { 'kubernetes.io/hostname': name } }
    await this.world.client.create(nodes, { metadata, spec: more } as Draft<Node>)
    const patch = { status: { allocatable, capacity: allocatable } }
    await this.world.client.patch(nodes, { name }, 'application/merge-patch+json', patch, {
      subresource: 'status',
    })
    await this.world.settle()
  }

  async addPod(name: string, cpu = '1', spec: Partial<PodSpec> = {}, labels = {}): Promise<Pod> {
    const pod = await this.world.client.create(pods, {
      metadata: { name, namespace: NAMESPACE, labels },
      spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }], ...spec },
    } as Draft<Pod>)
    await this.world.settle()
    return pod
  }

  /** As its node does when the Pod has ended. */
  async remove(name: string): Promise<void> {
    await this.world.client.delete(pods, { name, namespace: NAMESPACE }, { gracePeriodSeconds: 0 })
    await this.world.settle()
  }

  pod(name: string): Promise<Pod> {
    return this.world.client.get(pods, { name, namespace: NAMESPACE })
  }

  async nodeOf(name: string): Promise<string | undefined> {
    return (await this.pod(name)).spec.nodeName
  }

  /** 'status reason: message' of a condition. */
  async condition(name: string, type = 'PodScheduled'): Promise<string | undefined> {
    const found = (await this.pod(name)).status.conditions?.find(condition => condition.type === type)
    return found && `${found.status} ${found.reason ?? ''}: ${found.message ?? ''}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]()
  }
}
