// Short descriptions of the API's types and fields in this project's own words, one per line: 'KEY: text'.
// Keys: a type, TYPE.FIELD, or a bare field name for fields that mean the same everywhere; ' | ' joins keys.

export const descriptionText = `
apiVersion: APIVersion defines the group and version that this object is written in, such as apps/v1.
kind: Name of the object's type, such as Pod.
metadata: Standard object's metadata: its name, labels, owners and versions.
spec: What is wanted of the object.
status: What was last observed of the object. Set by the system.
items: The objects of the list.
conditions: Latest observations of the object, one per type.
reason: One word in CamelCase for why the state is what it is.
message: Text for people about the state.
lastTransitionTime: When the condition last changed its status.
lastProbeTime: When the condition was last checked.
observedGeneration: The metadata.generation that this status was made from.
phase: Where the object is in its life, in one word.
name: Name of what is meant.
namespace: Namespace of what is meant.
uid: Identifier of one particular object, never used again.
resourceVersion: Version of the object as stored; changes with every write.
labelSelector: Which objects are meant, by their labels.
selector: Which Pods belong to the object, by their labels.
readOnly: Mount it so that it cannot be written to. Default: false.
fsType: File system to mount, such as ext4.
secretRef: Secret with the credentials.
defaultMode: Permission bits of the files that do not set their own. Default: 0644.
optional: Whether it may be missing.
driver: Name of the driver that provides the volume.
volumeID: Identifier of the volume in the storage system.
volumeName: Name of the volume.
partition: Partition to mount; 0 or absent for the whole device.
replicas: Number of Pods.
template: The Pods that are made.
minReadySeconds: Seconds that a Pod must stay ready to count as available. Default: 0.
revisionHistoryLimit: How many old revisions are kept for a roll-back. Default: 10.
readyReplicas: Number of Pods that are ready.
availableReplicas: Number of Pods that have been ready for minReadySeconds.
updatedReplicas: Number of Pods made from the current template.
collisionCount: How often a generated name was taken; makes the next one differ.
containerName: Name of a container of the Pod.
runAsUser: User ID that processes start with. Default: what the image says.
runAsGroup: Group ID that processes start with. Default: what the runtime chooses.
runAsNonRoot: Refuse to start the container when its user would be root.
seLinuxOptions: SELinux label for the processes.
seccompProfile: Which system calls are allowed.
appArmorProfile: AppArmor profile for the processes.
windowsOptions: Settings for containers on Windows.
capacity: Total amounts.
core/v1.Pod: Containers that run together on one node and share network and volumes.
core/v1.PodList | core/v1.ServiceList | core/v1.ConfigMapList | core/v1.SecretList | core/v1.NodeList | core/v1.NamespaceList | apps/v1.DeploymentList | batch/v1.JobList: A list of objects of one kind.
core/v1.Pod.spec: What the Pod should run, and how.
core/v1.PodSpec: What a Pod runs, where, and with which rights.
core/v1.PodSpec.volumes: Volumes that the Pod's containers can mount.
core/v1.PodSpec.initContainers: Containers that run before the others, one after the other, each to completion. One with restartPolicy Always keeps running beside the others (a sidecar).
core/v1.PodSpec.containers: The containers of the Pod; at least one. They start together once the init containers are done.
core/v1.PodSpec.ephemeralContainers: Containers added to a running Pod to look into it. Changed through the ephemeralcontainers subresource.
core/v1.PodSpec.restartPolicy: Whether containers that end are started again: Always, OnFailure or Never. Default: Always.
core/v1.PodSpec.terminationGracePeriodSeconds: Seconds between asking the processes to stop and killing them. Default: 30.
core/v1.PodSpec.activeDeadlineSeconds: Seconds from its start after which the Pod is ended as failed.
core/v1.PodSpec.dnsPolicy: Where names are resolved: ClusterFirst, ClusterFirstWithHostNet, Default (as the node does) or None. Default: ClusterFirst.
core/v1.PodSpec.nodeSelector: Labels that the node must have.
core/v1.PodSpec.serviceAccountName: ServiceAccount that the Pod acts as. Default: default.
core/v1.PodSpec.serviceAccount: Older name of serviceAccountName.
core/v1.PodSpec.automountServiceAccountToken: Whether a token of the ServiceAccount is mounted into the containers.
core/v1.PodSpec.nodeName: Node that the Pod is on. Set by the scheduler.
core/v1.PodSpec.hostNetwork: Use the node's network. Default: false.
core/v1.PodSpec.hostPID: See the node's processes. Default: false.
core/v1.PodSpec.hostIPC: Use the node's IPC namespace. Default: false.
core/v1.PodSpec.hostUsers: Use the node's user namespace. Default: true.
core/v1.PodSpec.shareProcessNamespace: Let the containers see each other's processes. Default: false.
core/v1.PodSpec.securityContext: Rights and IDs that all containers start with.
core/v1.PodSpec.imagePullSecrets: Secrets with credentials for pulling the images.
core/v1.PodSpec.hostname: Host name inside the Pod. Default: the Pod's name.
core/v1.PodSpec.hostnameOverride: Exact host name inside the Pod, in place of one made from hostname and subdomain.
core/v1.PodSpec.subdomain: Makes the full host name HOSTNAME.SUBDOMAIN.NAMESPACE.svc.DOMAIN.
core/v1.PodSpec.setHostnameAsFQDN: Make the full domain name the host name. Default: false.
core/v1.PodSpec.affinity: Rules about which nodes and which other Pods to be near.
core/v1.PodSpec.schedulerName: Scheduler that places the Pod. Default: default-scheduler.
core/v1.PodSpec.tolerations: Node taints that the Pod puts up with.
core/v1.PodSpec.hostAliases: Lines added to /etc/hosts in the containers.
core/v1.PodSpec.priorityClassName: PriorityClass that the Pod gets its priority from.
core/v1.PodSpec.priority: The Pod's weight against others; higher goes first. Set from the PriorityClass.
core/v1.PodSpec.preemptionPolicy: Whether the Pod may push out others of lower priority. Default: PreemptLowerPriority.
core/v1.PodSpec.dnsConfig: Name servers and search domains, added to what dnsPolicy gives.
core/v1.PodSpec.readinessGates: Further conditions that must hold for the Pod to be ready.
core/v1.PodSpec.runtimeClassName: RuntimeClass that says how the containers are run.
core/v1.PodSpec.enableServiceLinks: Put the namespace's Services into environment variables. Default: true.
core/v1.PodSpec.overhead: Resources that running the Pod costs beyond its containers. Set from the RuntimeClass.
core/v1.PodSpec.topologySpreadConstraints: How evenly Pods like this one are spread over nodes or zones.
core/v1.PodSpec.os: Operating system of the containers.
core/v1.PodSpec.schedulingGates: Names of what must happen before the Pod is scheduled.
core/v1.PodSpec.schedulingGroup: Group of Pods that this one is scheduled together with.
core/v1.PodSpec.resourceClaims: ResourceClaims for devices that containers can use.
core/v1.PodSpec.resources: Requests and limits of the Pod as a whole.
core/v1.PodStatus: What was last observed of a Pod.
core/v1.PodStatus.phase: Pending, Running, Succeeded, Failed or Unknown.
core/v1.PodStatus.nominatedNodeName: Node where room is being made for the Pod.
core/v1.PodStatus.hostIP | core/v1.PodStatus.hostIPs: Address of the Pod's node.
core/v1.PodStatus.podIP | core/v1.PodStatus.podIPs: Address of the Pod.
core/v1.PodStatus.startTime: When the kubelet first saw the Pod.
core/v1.PodStatus.initContainerStatuses: State of every init container.
core/v1.PodStatus.containerStatuses: State of every container.
core/v1.PodStatus.ephemeralContainerStatuses: State of every ephemeral container.
core/v1.PodStatus.qosClass: Guaranteed, Burstable or BestEffort, following from requests and limits.
core/v1.PodStatus.resize: How far a change of resources has come.
core/v1.Container | core/v1.EphemeralContainer: One container of a Pod: an image, what to run in it, and what it may use.
core/v1.Container.name | core/v1.EphemeralContainer.name: Name of the container, different from the Pod's others. Cannot be changed.
core/v1.Container.image | core/v1.EphemeralContainer.image: Image that the container starts from.
core/v1.Container.command | core/v1.EphemeralContainer.command: What to run, in place of the image's entry point. $(NAME) stands for an environment variable.
core/v1.Container.args | core/v1.EphemeralContainer.args: Arguments, in place of the image's. $(NAME) stands for an environment variable.
core/v1.Container.workingDir | core/v1.EphemeralContainer.workingDir: Directory to start in. Default: the image's.
core/v1.Container.ports | core/v1.EphemeralContainer.ports: Ports that the container listens on. For information, and for names that others refer to.
core/v1.Container.envFrom | core/v1.EphemeralContainer.envFrom: ConfigMaps and Secrets whose every key becomes an environment variable.
core/v1.Container.env | core/v1.EphemeralContainer.env: Environment variables.
core/v1.Container.resources | core/v1.EphemeralContainer.resources: How much CPU, memory and other resources the container asks for and may use.
core/v1.Container.resizePolicy | core/v1.EphemeralContainer.resizePolicy: Which changes of resources restart the container.
core/v1.Container.restartPolicy | core/v1.EphemeralContainer.restartPolicy: This container's own restart policy. Always on an init container makes it a sidecar.
core/v1.Container.restartPolicyRules | core/v1.EphemeralContainer.restartPolicyRules: Exit codes that are treated otherwise than restartPolicy says.
core/v1.Container.volumeMounts | core/v1.EphemeralContainer.volumeMounts: Volumes of the Pod and where they appear in the container.
core/v1.Container.volumeDevices | core/v1.EphemeralContainer.volumeDevices: Volumes that appear as block devices.
core/v1.Container.livenessProbe | core/v1.EphemeralContainer.livenessProbe: Checks that the container works; it is restarted when it does not.
core/v1.Container.readinessProbe | core/v1.EphemeralContainer.readinessProbe: Checks that the container can serve; Services leave it out while it cannot.
core/v1.Container.startupProbe | core/v1.EphemeralContainer.startupProbe: Checks that the container has started; the other probes wait for it.
core/v1.Container.lifecycle | core/v1.EphemeralContainer.lifecycle: What to do right after the container starts and before it is stopped.
core/v1.Container.terminationMessagePath | core/v1.EphemeralContainer.terminationMessagePath: File whose content becomes the message of the ended container. Default: /dev/termination-log.
core/v1.Container.terminationMessagePolicy | core/v1.EphemeralContainer.terminationMessagePolicy: File, or FallbackToLogsOnError to use the end of the log. Default: File.
core/v1.Container.imagePullPolicy | core/v1.EphemeralContainer.imagePullPolicy: Always, Never or IfNotPresent. Default: Always for the tag latest, otherwise IfNotPresent.
core/v1.Container.securityContext | core/v1.EphemeralContainer.securityContext: Rights and IDs of the container; goes before the Pod's.
core/v1.Container.stdin | core/v1.EphemeralContainer.stdin: Keep standard input open. Default: false.
core/v1.Container.stdinOnce | core/v1.EphemeralContainer.stdinOnce: Close standard input when the first client leaves. Default: false.
core/v1.Container.tty | core/v1.EphemeralContainer.tty: Give the container a terminal. Default: false.
core/v1.EphemeralContainer.targetContainerName: Container whose processes this one sees.
core/v1.ContainerPort: A port that a container listens on.
core/v1.ContainerPort.containerPort: Port number in the container.
core/v1.ContainerPort.hostPort: Port of the node that leads here.
core/v1.ContainerPort.hostIP: Address of the node that hostPort is bound to.
core/v1.ContainerPort.protocol: TCP, UDP or SCTP. Default: TCP.
core/v1.ContainerPort.name: Name that Services and probes can use for the port.
core/v1.EnvVar: An environment variable.
core/v1.EnvVar.value: The value. $(NAME) stands for a variable defined before.
core/v1.EnvVar.valueFrom: Where the value comes from; not together with value.
core/v1.EnvVarSource: A source of an environment variable's value; exactly one is set.
core/v1.EnvVarSource.fieldRef: A field of the Pod.
core/v1.EnvVarSource.resourceFieldRef: A request or limit of a container.
core/v1.EnvVarSource.configMapKeyRef: A key of a ConfigMap.
core/v1.EnvVarSource.secretKeyRef: A key of a Secret.
core/v1.EnvVarSource.fileKeyRef: A key of a file in a volume.
core/v1.EnvFromSource: A ConfigMap or Secret whose keys become environment variables.
core/v1.EnvFromSource.prefix: Put before every name.
core/v1.EnvFromSource.configMapRef: The ConfigMap.
core/v1.EnvFromSource.secretRef: The Secret.
core/v1.ObjectFieldSelector.fieldPath: Path of the field, such as metadata.name.
core/v1.ResourceFieldSelector.resource: The resource, such as limits.cpu.
core/v1.ResourceFieldSelector.divisor: Unit that the value is given in. Default: 1.
core/v1.ConfigMapKeySelector.key | core/v1.SecretKeySelector.key | core/v1.KeyToPath.key | core/v1.FileKeySelector.key: The key.
core/v1.KeyToPath.path | core/v1.DownwardAPIVolumeFile.path: Relative path of the file in the volume.
core/v1.KeyToPath.mode | core/v1.DownwardAPIVolumeFile.mode: Permission bits of the file.
core/v1.ResourceRequirements | core/v1.VolumeResourceRequirements: Amounts of resources asked for and allowed.
core/v1.ResourceRequirements.limits | core/v1.VolumeResourceRequirements.limits: The most that may be used.
core/v1.ResourceRequirements.requests | core/v1.VolumeResourceRequirements.requests: What is set aside. Default: the limits.
core/v1.ResourceRequirements.claims: ResourceClaims of the Pod that the container uses.
core/v1.VolumeMount: Where a volume appears in a container.
core/v1.VolumeMount.name: Name of the Pod's volume.
core/v1.VolumeMount.mountPath: Path in the container.
core/v1.VolumeMount.subPath: Path in the volume to mount. Default: its root.
core/v1.VolumeMount.subPathExpr: As subPath, with $(NAME) for environment variables.
core/v1.VolumeMount.mountPropagation: Whether later mounts show on the other side: None, HostToContainer or Bidirectional. Default: None.
core/v1.VolumeMount.recursiveReadOnly: Whether mounts below are read-only as well: Disabled, IfPossible or Enabled.
core/v1.VolumeDevice.devicePath: Path of the device in the container.
core/v1.Probe: A check that is repeated while a container runs.
core/v1.Probe.exec | core/v1.LifecycleHandler.exec: Run a command in the container; exit code 0 is success.
core/v1.Probe.httpGet | core/v1.LifecycleHandler.httpGet: Send an HTTP GET request; status 200 to 399 is success.
core/v1.Probe.tcpSocket | core/v1.LifecycleHandler.tcpSocket: Open a TCP connection.
core/v1.Probe.grpc: Ask the gRPC health service.
core/v1.Probe.initialDelaySeconds: Seconds to wait after the container starts. Default: 0.
core/v1.Probe.timeoutSeconds: Seconds after which a check has failed. Default: 1.
core/v1.Probe.periodSeconds: Seconds between checks. Default: 10.
core/v1.Probe.successThreshold: Checks in a row that must succeed after a failure. Default: 1.
core/v1.Probe.failureThreshold: Checks in a row that must fail. Default: 3.
core/v1.Probe.terminationGracePeriodSeconds: Grace period when this probe ends the container; in place of the Pod's.
core/v1.ExecAction.command: Command and arguments, run without a shell.
core/v1.HTTPGetAction.path: Path of the request. Default: /.
core/v1.HTTPGetAction.port | core/v1.TCPSocketAction.port: Number or name of the container's port.
core/v1.GRPCAction.port: Number of the container's port.
core/v1.GRPCAction.service: Service name to ask about.
core/v1.HTTPGetAction.host | core/v1.TCPSocketAction.host: Host to connect to. Default: the Pod's address.
core/v1.HTTPGetAction.scheme: HTTP or HTTPS. Default: HTTP.
core/v1.HTTPGetAction.httpHeaders: Headers of the request.
core/v1.SleepAction.seconds: Seconds to wait.
core/v1.Lifecycle: Hooks at the start and end of a container.
core/v1.Lifecycle.postStart: Done right after the start; the container is killed when it fails.
core/v1.Lifecycle.preStop: Done before the container is asked to stop; counts against the grace period.
core/v1.Lifecycle.stopSignal: Signal that asks the container to stop. Default: the image's, or SIGTERM.
core/v1.LifecycleHandler: What a hook does; exactly one is set.
core/v1.LifecycleHandler.sleep: Wait.
core/v1.SecurityContext: Rights and IDs of one container.
core/v1.SecurityContext.capabilities: Linux capabilities to add and drop.
core/v1.SecurityContext.privileged: Run with all rights of root on the node. Default: false.
core/v1.SecurityContext.readOnlyRootFilesystem: Make the container's root file system read-only. Default: false.
core/v1.SecurityContext.allowPrivilegeEscalation: Whether a process may gain more rights than its parent.
core/v1.SecurityContext.procMount: How /proc is mounted: Default or Unmasked.
core/v1.Capabilities.add: Capabilities to add.
core/v1.Capabilities.drop: Capabilities to take away.
core/v1.PodSecurityContext: Rights and IDs of all containers of a Pod.
core/v1.PodSecurityContext.fsGroup: Group that owns the volumes' files, and that the processes are in.
core/v1.PodSecurityContext.fsGroupChangePolicy: When files change to fsGroup: Always or OnRootMismatch. Default: Always.
core/v1.PodSecurityContext.supplementalGroups: Further groups of the processes.
core/v1.PodSecurityContext.supplementalGroupsPolicy: Whether the image's groups count as well: Merge or Strict. Default: Merge.
core/v1.PodSecurityContext.sysctls: Kernel parameters to set.
core/v1.SeccompProfile.type | core/v1.AppArmorProfile.type: RuntimeDefault, Localhost or Unconfined.
core/v1.SeccompProfile.localhostProfile | core/v1.AppArmorProfile.localhostProfile: Profile on the node, for type Localhost.
core/v1.Volume: A volume that containers of the Pod can mount. One source is set.
core/v1.Volume.name: Name that volumeMounts use.
core/v1.Volume.hostPath: A file or directory of the node.
core/v1.Volume.emptyDir: An empty directory that lives as long as the Pod.
core/v1.Volume.secret: The keys of a Secret as files.
core/v1.Volume.configMap: The keys of a ConfigMap as files.
core/v1.Volume.downwardAPI: Fields of the Pod as files.
core/v1.Volume.projected: Several sources in one directory.
core/v1.Volume.persistentVolumeClaim: The volume of a PersistentVolumeClaim.
core/v1.Volume.ephemeral: A volume claimed for this Pod and deleted with it.
core/v1.Volume.csi: A volume of a CSI driver that lives as long as the Pod.
core/v1.Volume.nfs: A directory of an NFS server.
core/v1.Volume.image: The files of an image.
core/v1.HostPathVolumeSource.path: Path on the node.
core/v1.HostPathVolumeSource.type: What must be there, or is made: Directory, DirectoryOrCreate, File, FileOrCreate, Socket, CharDevice, BlockDevice. Default: no check.
core/v1.EmptyDirVolumeSource.medium: Memory for a RAM disk. Default: the node's disk.
core/v1.EmptyDirVolumeSource.sizeLimit: The most that may be stored.
core/v1.SecretVolumeSource.secretName: Name of the Secret in the Pod's namespace.
core/v1.SecretVolumeSource.items | core/v1.ConfigMapVolumeSource.items | core/v1.SecretProjection.items | core/v1.ConfigMapProjection.items: Keys to show, and under which path. Default: all, each under its own name.
core/v1.DownwardAPIVolumeSource.items | core/v1.DownwardAPIProjection.items: The files.
core/v1.DownwardAPIVolumeFile.fieldRef: Field of the Pod to show.
core/v1.DownwardAPIVolumeFile.resourceFieldRef: Request or limit of a container to show.
core/v1.PersistentVolumeClaimVolumeSource.claimName: Name of the claim in the Pod's namespace.
core/v1.ProjectedVolumeSource.sources: The sources.
core/v1.ServiceAccountTokenProjection.audience: Who the token is for. Default: the API server.
core/v1.ServiceAccountTokenProjection.expirationSeconds: Seconds that the token is valid; it is renewed before. Default: 3600.
core/v1.ServiceAccountTokenProjection.path: Relative path of the token's file.
core/v1.ImageVolumeSource.reference: The image.
core/v1.ImageVolumeSource.pullPolicy: Always, Never or IfNotPresent.
core/v1.Affinity.nodeAffinity: Which nodes suit, by their labels.
core/v1.Affinity.podAffinity: Which Pods to be near.
core/v1.Affinity.podAntiAffinity: Which Pods to stay away from.
requiredDuringSchedulingIgnoredDuringExecution: Rules that must hold when the Pod is placed.
preferredDuringSchedulingIgnoredDuringExecution: Rules that count in favour of a node, with their weights.
core/v1.NodeSelector.nodeSelectorTerms: Terms of which one must match.
core/v1.NodeSelectorTerm.matchExpressions: Conditions on the node's labels; all must hold.
core/v1.NodeSelectorTerm.matchFields: Conditions on the node's fields; all must hold.
core/v1.NodeSelectorRequirement.operator: In, NotIn, Exists, DoesNotExist, Gt or Lt.
core/v1.PreferredSchedulingTerm.weight | core/v1.WeightedPodAffinityTerm.weight: 1 to 100.
topologyKey: Node label whose value says what counts as one place.
core/v1.Toleration: Lets a Pod onto nodes that have a matching taint.
core/v1.Toleration.key: Key of the taint; empty with Exists for all.
core/v1.Toleration.operator: Equal, Exists, Lt or Gt. Default: Equal.
core/v1.Toleration.value: Value of the taint.
core/v1.Toleration.effect: NoSchedule, PreferNoSchedule or NoExecute; empty for all.
core/v1.Toleration.tolerationSeconds: Seconds that a NoExecute taint is put up with. Default: for ever.
core/v1.TopologySpreadConstraint.maxSkew: How far the numbers of Pods may be apart.
core/v1.TopologySpreadConstraint.whenUnsatisfiable: DoNotSchedule or ScheduleAnyway.
core/v1.HostAlias.ip: The address.
core/v1.HostAlias.hostnames: Names for the address.
core/v1.PodDNSConfig.nameservers: Addresses of name servers.
core/v1.PodDNSConfig.searches: Search domains.
core/v1.PodDNSConfig.options: Resolver options.
core/v1.ContainerStatus: What was last observed of a container.
core/v1.ContainerStatus.state: What the container does now.
core/v1.ContainerStatus.lastState: How it ended the last time.
core/v1.ContainerStatus.ready: Whether it is ready.
core/v1.ContainerStatus.restartCount: How often it was started again.
core/v1.ContainerStatus.image: Image that it runs.
core/v1.ContainerStatus.imageID: Identifier of that image.
core/v1.ContainerStatus.containerID: Identifier in the runtime: TYPE://ID.
core/v1.ContainerStatus.started: Whether it has started and its startup probe has succeeded.
core/v1.ContainerState.waiting: Set while the container has not started.
core/v1.ContainerState.running: Set while the container runs.
core/v1.ContainerState.terminated: Set when the container has ended.
core/v1.ContainerStateTerminated.exitCode: Exit code of the process.
core/v1.ContainerStateTerminated.signal: Signal that ended it.
startedAt: When it started.
finishedAt: When it ended.
meta/v1.ObjectMeta: What every object has: its name, labels, owners, versions.
meta/v1.ObjectMeta.name: Name of the object, one of its kind per namespace. Cannot be changed.
meta/v1.ObjectMeta.generateName: Start of a name that the server completes when name is not given.
meta/v1.ObjectMeta.namespace: Namespace that the object is in. Default: default. Cannot be changed.
meta/v1.ObjectMeta.labels: Names and values to select objects by.
meta/v1.ObjectMeta.annotations: Names and values that tools keep with the object.
meta/v1.ObjectMeta.creationTimestamp: CreationTimestamp is a timestamp of the object's creation, set by the server.
meta/v1.ObjectMeta.deletionTimestamp: When the object is to be gone. Set by the server when it is deleted.
meta/v1.ObjectMeta.deletionGracePeriodSeconds: Seconds between deletion and being gone. Set by the server.
meta/v1.ObjectMeta.finalizers: What must be done before the object goes. It stays until the list is empty.
meta/v1.ObjectMeta.ownerReferences: Objects that this one goes with.
meta/v1.ObjectMeta.generation: Counts changes of the spec. Set by the server.
meta/v1.ObjectMeta.managedFields: Who set which fields. Kept by the server.
meta/v1.ObjectMeta.selfLink: No longer used.
meta/v1.OwnerReference: An object that owns another one.
meta/v1.OwnerReference.controller: Whether the owner is the one that manages the object.
meta/v1.OwnerReference.blockOwnerDeletion: Whether the owner stays until this object is gone, when deleted in the foreground.
meta/v1.ListMeta: Version of a list, and how to go on with it.
meta/v1.ListMeta.continue: Token for the next part of the list.
meta/v1.ListMeta.remainingItemCount: About how many objects follow.
meta/v1.LabelSelector: Labels that objects must have; all conditions must hold.
meta/v1.LabelSelector.matchLabels: Labels with their values.
meta/v1.LabelSelector.matchExpressions: Conditions on labels.
meta/v1.LabelSelectorRequirement.operator: In, NotIn, Exists or DoesNotExist.
Time: A time as RFC 3339 writes it, in seconds.
MicroTime: A time as RFC 3339 writes it, in microseconds.
Quantity: An amount with an optional suffix: 500m, 2, 1.5Gi.
IntOrString: A number, or text such as a percentage or a port's name.
FieldsV1: Paths of fields.
core/v1.Service: One address for a group of Pods.
core/v1.ServiceSpec: Which Pods a Service leads to, and how it is reached.
core/v1.ServiceSpec.ports: Ports of the Service.
core/v1.ServiceSpec.selector: Labels of the Pods that requests go to.
core/v1.ServiceSpec.type: ClusterIP, NodePort, LoadBalancer or ExternalName. Default: ClusterIP.
core/v1.ServiceSpec.clusterIP: Address inside the cluster; None for no address of its own. Chosen by the server.
core/v1.ServiceSpec.clusterIPs: The addresses, one per IP family.
core/v1.ServiceSpec.externalName: Name that the Service is an alias of, for type ExternalName.
core/v1.ServiceSpec.externalIPs: Further addresses that lead to the Service.
core/v1.ServiceSpec.sessionAffinity: ClientIP to send a client to the same Pod each time. Default: None.
core/v1.ServiceSpec.externalTrafficPolicy: Local to keep outside requests on the node they reach. Default: Cluster.
core/v1.ServiceSpec.internalTrafficPolicy: Local to keep inside requests on their node. Default: Cluster.
core/v1.ServiceSpec.publishNotReadyAddresses: Also lead to Pods that are not ready. Default: false.
core/v1.ServiceSpec.ipFamilies: IPv4, IPv6 or both.
core/v1.ServiceSpec.ipFamilyPolicy: SingleStack, PreferDualStack or RequireDualStack.
core/v1.ServicePort.port: Port of the Service.
core/v1.ServicePort.targetPort: Number or name of the Pods' port. Default: port.
core/v1.ServicePort.nodePort: Port of every node that leads here.
core/v1.ServicePort.protocol: TCP, UDP or SCTP. Default: TCP.
apps/v1.Deployment: Keeps a number of equal Pods running and replaces them step by step when the template changes.
apps/v1.DeploymentSpec.replicas: Number of Pods wanted. Default: 1.
apps/v1.DeploymentSpec.strategy: How old Pods are replaced.
apps/v1.DeploymentSpec.paused: Hold changes back. Default: false.
apps/v1.DeploymentSpec.progressDeadlineSeconds: Seconds without progress after which the Deployment counts as stuck. Default: 600.
apps/v1.DeploymentStrategy.type: RollingUpdate or Recreate. Default: RollingUpdate.
apps/v1.DeploymentStrategy.rollingUpdate: Settings of RollingUpdate.
maxUnavailable: How many Pods may be missing during the change, as a number or a percentage.
maxSurge: How many Pods there may be beyond the number wanted, as a number or a percentage.
apps/v1.StatefulSet: Pods with lasting names and volumes, started and replaced in order.
apps/v1.StatefulSetSpec.replicas: Number of Pods wanted. Default: 1.
apps/v1.StatefulSetSpec.serviceName: Service that gives the Pods their names in DNS.
apps/v1.StatefulSetSpec.volumeClaimTemplates: Claims made for every Pod.
apps/v1.StatefulSetSpec.podManagementPolicy: OrderedReady or Parallel. Default: OrderedReady.
updateStrategy: How Pods are replaced when the template changes.
apps/v1.DaemonSet: One Pod on every node that suits.
batch/v1.Job: Runs Pods until enough of them have succeeded.
batch/v1.JobSpec.parallelism: How many Pods run at the same time. Default: 1.
batch/v1.JobSpec.completions: How many Pods must succeed. Default: 1.
batch/v1.JobSpec.backoffLimit: Failures after which the Job has failed. Default: 6.
batch/v1.JobSpec.activeDeadlineSeconds: Seconds after which the Job is ended.
batch/v1.JobSpec.ttlSecondsAfterFinished: Seconds after which the finished Job is deleted.
batch/v1.JobSpec.completionMode: NonIndexed, or Indexed to give every Pod a number. Default: NonIndexed.
suspend: Hold back the start of anything new. Default: false.
batch/v1.CronJob: Makes Jobs by a schedule.
batch/v1.CronJobSpec.schedule: Minute, hour, day of month, month and day of week, as in crontab.
batch/v1.CronJobSpec.timeZone: Time zone of the schedule. Default: that of the controller.
batch/v1.CronJobSpec.concurrencyPolicy: What to do when the last Job still runs: Allow, Forbid or Replace. Default: Allow.
batch/v1.CronJobSpec.jobTemplate: The Jobs that are made.
core/v1.ConfigMap: Configuration data for Pods.
core/v1.ConfigMap.data: Keys and their text.
core/v1.ConfigMap.binaryData: Keys and their bytes in base64.
immutable: Forbid changing the data. Default: false.
core/v1.Secret: Data for Pods that few should see.
core/v1.Secret.data: Keys and their bytes in base64.
core/v1.Secret.stringData: Keys and their text; written into data and never read back.
core/v1.Secret.type: What the data is for. Default: Opaque.
core/v1.Namespace: A room of its own for names of objects.
core/v1.Node: A machine that runs Pods.
core/v1.NodeSpec.unschedulable: Place no further Pods here. Default: false.
core/v1.NodeSpec.taints: Marks that keep Pods away that do not tolerate them.
core/v1.NodeSpec.podCIDR | core/v1.NodeSpec.podCIDRs: Addresses for the node's Pods.
core/v1.NodeStatus.allocatable: Amounts that Pods can have.
core/v1.NodeStatus.addresses: Addresses and names of the machine.
core/v1.NodeStatus.nodeInfo: Versions and identifiers of the machine and its software.
core/v1.NodeStatus.images: Images on the machine.
core/v1.ServiceAccount: A name for processes in Pods to act under.
core/v1.ServiceAccount.imagePullSecrets: Secrets for pulling the images of Pods that use the account.
core/v1.ServiceAccount.automountServiceAccountToken: Whether Pods get a token of the account. Default: true.
core/v1.PersistentVolumeClaim: Asks for a volume that outlives Pods.
core/v1.PersistentVolumeClaimSpec.accessModes: How it is mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.
core/v1.PersistentVolumeClaimSpec.resources: How large the volume is at least.
core/v1.PersistentVolumeClaimSpec.storageClassName: StorageClass that makes the volume.
core/v1.PersistentVolumeClaimSpec.volumeMode: Filesystem or Block. Default: Filesystem.
core/v1.PersistentVolumeClaimSpec.volumeName: The PersistentVolume that the claim is bound to.
`
