/**
 * The Go types that templates walk through: pod and node metadata, pod spec and node spec of Kubernetes 1.36, with
 * everything below them. One text for each struct, `Field:jsonName:type` for each of its fields; the JSON name is left
 * out when it is the field's with a small first letter, and `~` for a struct whose fields are its own. Types: `s` string,
 * `b` bool, `i` integer, `f` float, `[` list of, `{` map from string to, `*` pointer to, `!` one that no template can look into.
 */

export const GO_STRUCTS: Readonly<Record<string, string>> = {
  TemplateData:
    'TrustDomain::s ClusterName::s ClusterDomain::s PodMeta::*ObjectMeta PodSpec::*PodSpec NodeMeta::*ObjectMeta NodeSpec::*NodeSpec',
  AWSElasticBlockStoreVolumeSource: 'VolumeID::s FSType:fsType:s Partition::i ReadOnly::b',
  Affinity:
    'NodeAffinity::*NodeAffinity PodAffinity::*PodAffinity PodAntiAffinity::*PodAntiAffinity',
  AppArmorProfile: 'Type::s LocalhostProfile::*s',
  AzureDiskVolumeSource:
    'DiskName::s DataDiskURI:diskURI:s CachingMode::*s FSType:fsType:*s ReadOnly::*b Kind::*s',
  AzureFileVolumeSource: 'SecretName::s ShareName::s ReadOnly::b',
  CSIVolumeSource:
    'Driver::s ReadOnly::*b FSType:fsType:*s VolumeAttributes::{s NodePublishSecretRef::*LocalObjectReference',
  Capabilities: 'Add::[s Drop::[s',
  CephFSVolumeSource:
    'Monitors::[s Path::s User::s SecretFile::s SecretRef::*LocalObjectReference ReadOnly::b',
  CinderVolumeSource: 'VolumeID::s FSType:fsType:s ReadOnly::b SecretRef::*LocalObjectReference',
  ClusterTrustBundleProjection:
    'Name::*s SignerName::*s LabelSelector::*LabelSelector Optional::*b Path::s',
  ConfigMapEnvSource: 'LocalObjectReference:~:LocalObjectReference Optional::*b',
  ConfigMapKeySelector: 'LocalObjectReference:~:LocalObjectReference Key::s Optional::*b',
  ConfigMapNodeConfigSource:
    'Namespace::s Name::s UID:uid:s ResourceVersion::s KubeletConfigKey::s',
  ConfigMapProjection: 'LocalObjectReference:~:LocalObjectReference Items::[KeyToPath Optional::*b',
  ConfigMapVolumeSource:
    'LocalObjectReference:~:LocalObjectReference Items::[KeyToPath DefaultMode::*i Optional::*b',
  Container:
    'Name::s Image::s Command::[s Args::[s WorkingDir::s Ports::[ContainerPort EnvFrom::[EnvFromSource Env::[EnvVar Resources::ResourceRequirements ResizePolicy::[ContainerResizePolicy RestartPolicy::*s RestartPolicyRules::[ContainerRestartRule VolumeMounts::[VolumeMount VolumeDevices::[VolumeDevice LivenessProbe::*Probe ReadinessProbe::*Probe StartupProbe::*Probe Lifecycle::*Lifecycle TerminationMessagePath::s TerminationMessagePolicy::s ImagePullPolicy::s SecurityContext::*SecurityContext Stdin::b StdinOnce::b TTY:tty:b',
  ContainerPort: 'Name::s HostPort::i ContainerPort::i Protocol::s HostIP::s',
  ContainerResizePolicy: 'ResourceName::s RestartPolicy::s',
  ContainerRestartRule: 'Action::s ExitCodes::*ContainerRestartRuleOnExitCodes',
  ContainerRestartRuleOnExitCodes: 'Operator::s Values::[i',
  DownwardAPIProjection: 'Items::[DownwardAPIVolumeFile',
  DownwardAPIVolumeFile:
    'Path::s FieldRef::*ObjectFieldSelector ResourceFieldRef::*ResourceFieldSelector Mode::*i',
  DownwardAPIVolumeSource: 'Items::[DownwardAPIVolumeFile DefaultMode::*i',
  EmptyDirVolumeSource: 'Medium::s SizeLimit::*!Quantity',
  EnvFromSource: 'Prefix::s ConfigMapRef::*ConfigMapEnvSource SecretRef::*SecretEnvSource',
  EnvVar: 'Name::s Value::s ValueFrom::*EnvVarSource',
  EnvVarSource:
    'FieldRef::*ObjectFieldSelector ResourceFieldRef::*ResourceFieldSelector ConfigMapKeyRef::*ConfigMapKeySelector SecretKeyRef::*SecretKeySelector FileKeyRef::*FileKeySelector',
  EphemeralContainer: 'EphemeralContainerCommon:~:EphemeralContainerCommon TargetContainerName::s',
  EphemeralContainerCommon:
    'Name::s Image::s Command::[s Args::[s WorkingDir::s Ports::[ContainerPort EnvFrom::[EnvFromSource Env::[EnvVar Resources::ResourceRequirements ResizePolicy::[ContainerResizePolicy RestartPolicy::*s RestartPolicyRules::[ContainerRestartRule VolumeMounts::[VolumeMount VolumeDevices::[VolumeDevice LivenessProbe::*Probe ReadinessProbe::*Probe StartupProbe::*Probe Lifecycle::*Lifecycle TerminationMessagePath::s TerminationMessagePolicy::s ImagePullPolicy::s SecurityContext::*SecurityContext Stdin::b StdinOnce::b TTY:tty:b',
  EphemeralVolumeSource: 'VolumeClaimTemplate::*PersistentVolumeClaimTemplate',
  ExecAction: 'Command::[s',
  FCVolumeSource: 'TargetWWNs::[s Lun::*i FSType:fsType:s ReadOnly::b WWIDs:wwids:[s',
  FileKeySelector: 'VolumeName::s Path::s Key::s Optional::*b',
  FlexVolumeSource:
    'Driver::s FSType:fsType:s SecretRef::*LocalObjectReference ReadOnly::b Options::{s',
  FlockerVolumeSource: 'DatasetName::s DatasetUUID::s',
  GCEPersistentDiskVolumeSource: 'PDName:pdName:s FSType:fsType:s Partition::i ReadOnly::b',
  GRPCAction: 'Port::i Service::*s',
  GitRepoVolumeSource: 'Repository::s Revision::s Directory::s',
  GlusterfsVolumeSource: 'EndpointsName:endpoints:s Path::s ReadOnly::b',
  HTTPGetAction: 'Path::s Port::!IntOrString Host::s Scheme::s HTTPHeaders:httpHeaders:[HTTPHeader',
  HTTPHeader: 'Name::s Value::s',
  HostAlias: 'IP:ip:s Hostnames::[s',
  HostPathVolumeSource: 'Path::s Type::*s',
  ISCSIVolumeSource:
    'TargetPortal::s IQN:iqn:s Lun::i ISCSIInterface:iscsiInterface:s FSType:fsType:s ReadOnly::b Portals::[s DiscoveryCHAPAuth:chapAuthDiscovery:b SessionCHAPAuth:chapAuthSession:b SecretRef::*LocalObjectReference InitiatorName::*s',
  ImageVolumeSource: 'Reference::s PullPolicy::s',
  KeyToPath: 'Key::s Path::s Mode::*i',
  LabelSelector: 'MatchLabels::{s MatchExpressions::[LabelSelectorRequirement',
  LabelSelectorRequirement: 'Key::s Operator::s Values::[s',
  Lifecycle: 'PostStart::*LifecycleHandler PreStop::*LifecycleHandler StopSignal::*s',
  LifecycleHandler:
    'Exec::*ExecAction HTTPGet:httpGet:*HTTPGetAction TCPSocket:tcpSocket:*TCPSocketAction Sleep::*SleepAction',
  LocalObjectReference: 'Name::s',
  ManagedFieldsEntry:
    'Manager::s Operation::s APIVersion:apiVersion:s Time::*!Time FieldsType::s FieldsV1::*!FieldsV1 Subresource::s',
  NFSVolumeSource: 'Server::s Path::s ReadOnly::b',
  NodeAffinity:
    'RequiredDuringSchedulingIgnoredDuringExecution::*NodeSelector PreferredDuringSchedulingIgnoredDuringExecution::[PreferredSchedulingTerm',
  NodeConfigSource: 'ConfigMap::*ConfigMapNodeConfigSource',
  NodeSelector: 'NodeSelectorTerms::[NodeSelectorTerm',
  NodeSelectorRequirement: 'Key::s Operator::s Values::[s',
  NodeSelectorTerm:
    'MatchExpressions::[NodeSelectorRequirement MatchFields::[NodeSelectorRequirement',
  NodeSpec:
    'PodCIDR::s PodCIDRs::[s ProviderID::s Unschedulable::b Taints::[Taint ConfigSource::*NodeConfigSource DoNotUseExternalID:externalID:s',
  ObjectFieldSelector: 'APIVersion:apiVersion:s FieldPath::s',
  ObjectMeta:
    'Name::s GenerateName::s Namespace::s SelfLink::s UID:uid:s ResourceVersion::s Generation::i CreationTimestamp::!Time DeletionTimestamp::*!Time DeletionGracePeriodSeconds::*i Labels::{s Annotations::{s OwnerReferences::[OwnerReference Finalizers::[s ManagedFields::[ManagedFieldsEntry GetName:name:s GetGenerateName:generateName:s GetNamespace:namespace:s GetUID:uid:s GetResourceVersion:resourceVersion:s GetGeneration:generation:i GetLabels:labels:{s GetAnnotations:annotations:{s GetFinalizers:finalizers:[s GetOwnerReferences:ownerReferences:[OwnerReference',
  OwnerReference:
    'APIVersion:apiVersion:s Kind::s Name::s UID:uid:s Controller::*b BlockOwnerDeletion::*b',
  PersistentVolumeClaimSpec:
    'AccessModes::[s Selector::*LabelSelector Resources::VolumeResourceRequirements VolumeName::s StorageClassName::*s VolumeMode::*s DataSource::*TypedLocalObjectReference DataSourceRef::*TypedObjectReference VolumeAttributesClassName::*s',
  PersistentVolumeClaimTemplate: 'ObjectMeta:~:ObjectMeta Spec::PersistentVolumeClaimSpec',
  PersistentVolumeClaimVolumeSource: 'ClaimName::s ReadOnly::b',
  PhotonPersistentDiskVolumeSource: 'PdID::s FSType:fsType:s',
  PodAffinity:
    'RequiredDuringSchedulingIgnoredDuringExecution::[PodAffinityTerm PreferredDuringSchedulingIgnoredDuringExecution::[WeightedPodAffinityTerm',
  PodAffinityTerm:
    'LabelSelector::*LabelSelector Namespaces::[s TopologyKey::s NamespaceSelector::*LabelSelector MatchLabelKeys::[s MismatchLabelKeys::[s',
  PodAntiAffinity:
    'RequiredDuringSchedulingIgnoredDuringExecution::[PodAffinityTerm PreferredDuringSchedulingIgnoredDuringExecution::[WeightedPodAffinityTerm',
  PodCertificateProjection:
    'SignerName::s KeyType::s MaxExpirationSeconds::*i CredentialBundlePath::s KeyPath::s CertificateChainPath::s UserAnnotations::{s',
  PodDNSConfig: 'Nameservers::[s Searches::[s Options::[PodDNSConfigOption',
  PodDNSConfigOption: 'Name::s Value::*s',
  PodOS: 'Name::s',
  PodReadinessGate: 'ConditionType::s',
  PodResourceClaim: 'Name::s ResourceClaimName::*s ResourceClaimTemplateName::*s',
  PodSchedulingGate: 'Name::s',
  PodSchedulingGroup: 'PodGroupName::*s',
  PodSecurityContext:
    'SELinuxOptions:seLinuxOptions:*SELinuxOptions WindowsOptions::*WindowsSecurityContextOptions RunAsUser::*i RunAsGroup::*i RunAsNonRoot::*b SupplementalGroups::[i SupplementalGroupsPolicy::*s FSGroup:fsGroup:*i Sysctls::[Sysctl FSGroupChangePolicy:fsGroupChangePolicy:*s SeccompProfile::*SeccompProfile AppArmorProfile::*AppArmorProfile SELinuxChangePolicy:seLinuxChangePolicy:*s',
  PodSpec:
    'Volumes::[Volume InitContainers::[Container Containers::[Container EphemeralContainers::[EphemeralContainer RestartPolicy::s TerminationGracePeriodSeconds::*i ActiveDeadlineSeconds::*i DNSPolicy:dnsPolicy:s NodeSelector::{s ServiceAccountName::s DeprecatedServiceAccount:serviceAccount:s AutomountServiceAccountToken::*b NodeName::s HostNetwork::b HostPID::b HostIPC::b ShareProcessNamespace::*b SecurityContext::*PodSecurityContext ImagePullSecrets::[LocalObjectReference Hostname::s Subdomain::s Affinity::*Affinity SchedulerName::s Tolerations::[Toleration HostAliases::[HostAlias PriorityClassName::s Priority::*i DNSConfig:dnsConfig:*PodDNSConfig ReadinessGates::[PodReadinessGate RuntimeClassName::*s EnableServiceLinks::*b PreemptionPolicy::*s Overhead::{!Quantity TopologySpreadConstraints::[TopologySpreadConstraint SetHostnameAsFQDN::*b OS:os:*PodOS HostUsers::*b SchedulingGates::[PodSchedulingGate ResourceClaims::[PodResourceClaim Resources::*ResourceRequirements HostnameOverride::*s SchedulingGroup::*PodSchedulingGroup',
  PortworxVolumeSource: 'VolumeID::s FSType:fsType:s ReadOnly::b',
  PreferredSchedulingTerm: 'Weight::i Preference::NodeSelectorTerm',
  Probe:
    'ProbeHandler:~:ProbeHandler InitialDelaySeconds::i TimeoutSeconds::i PeriodSeconds::i SuccessThreshold::i FailureThreshold::i TerminationGracePeriodSeconds::*i',
  ProbeHandler:
    'Exec::*ExecAction HTTPGet:httpGet:*HTTPGetAction TCPSocket:tcpSocket:*TCPSocketAction GRPC:grpc:*GRPCAction',
  ProjectedVolumeSource: 'Sources::[VolumeProjection DefaultMode::*i',
  QuobyteVolumeSource: 'Registry::s Volume::s ReadOnly::b User::s Group::s Tenant::s',
  RBDVolumeSource:
    'CephMonitors:monitors:[s RBDImage:image:s FSType:fsType:s RBDPool:pool:s RadosUser:user:s Keyring::s SecretRef::*LocalObjectReference ReadOnly::b',
  ResourceClaim: 'Name::s Request::s',
  ResourceFieldSelector: 'ContainerName::s Resource::s Divisor::!Quantity',
  ResourceRequirements: 'Limits::{!Quantity Requests::{!Quantity Claims::[ResourceClaim',
  SELinuxOptions: 'User::s Role::s Type::s Level::s',
  ScaleIOVolumeSource:
    'Gateway::s System::s SecretRef::*LocalObjectReference SSLEnabled:sslEnabled:b ProtectionDomain::s StoragePool::s StorageMode::s VolumeName::s FSType:fsType:s ReadOnly::b',
  SeccompProfile: 'Type::s LocalhostProfile::*s',
  SecretEnvSource: 'LocalObjectReference:~:LocalObjectReference Optional::*b',
  SecretKeySelector: 'LocalObjectReference:~:LocalObjectReference Key::s Optional::*b',
  SecretProjection: 'LocalObjectReference:~:LocalObjectReference Items::[KeyToPath Optional::*b',
  SecretVolumeSource: 'SecretName::s Items::[KeyToPath DefaultMode::*i Optional::*b',
  SecurityContext:
    'Capabilities::*Capabilities Privileged::*b SELinuxOptions:seLinuxOptions:*SELinuxOptions WindowsOptions::*WindowsSecurityContextOptions RunAsUser::*i RunAsGroup::*i RunAsNonRoot::*b ReadOnlyRootFilesystem::*b AllowPrivilegeEscalation::*b ProcMount::*s SeccompProfile::*SeccompProfile AppArmorProfile::*AppArmorProfile',
  ServiceAccountTokenProjection: 'Audience::s ExpirationSeconds::*i Path::s',
  SleepAction: 'Seconds::i',
  StorageOSVolumeSource:
    'VolumeName::s VolumeNamespace::s FSType:fsType:s ReadOnly::b SecretRef::*LocalObjectReference',
  Sysctl: 'Name::s Value::s',
  TCPSocketAction: 'Port::!IntOrString Host::s',
  Taint: 'Key::s Value::s Effect::s TimeAdded::*!Time',
  Toleration: 'Key::s Operator::s Value::s Effect::s TolerationSeconds::*i',
  TopologySpreadConstraint:
    'MaxSkew::i TopologyKey::s WhenUnsatisfiable::s LabelSelector::*LabelSelector MinDomains::*i NodeAffinityPolicy::*s NodeTaintsPolicy::*s MatchLabelKeys::[s',
  TypedLocalObjectReference: 'APIGroup:apiGroup:*s Kind::s Name::s',
  TypedObjectReference: 'APIGroup:apiGroup:*s Kind::s Name::s Namespace::*s',
  Volume: 'Name::s VolumeSource:~:VolumeSource',
  VolumeDevice: 'Name::s DevicePath::s',
  VolumeMount:
    'Name::s ReadOnly::b RecursiveReadOnly::*s MountPath::s SubPath::s MountPropagation::*s SubPathExpr::s',
  VolumeProjection:
    'Secret::*SecretProjection DownwardAPI::*DownwardAPIProjection ConfigMap::*ConfigMapProjection ServiceAccountToken::*ServiceAccountTokenProjection ClusterTrustBundle::*ClusterTrustBundleProjection PodCertificate::*PodCertificateProjection',
  VolumeResourceRequirements: 'Limits::{!Quantity Requests::{!Quantity',
  VolumeSource:
    'HostPath::*HostPathVolumeSource EmptyDir::*EmptyDirVolumeSource GCEPersistentDisk:gcePersistentDisk:*GCEPersistentDiskVolumeSource AWSElasticBlockStore:awsElasticBlockStore:*AWSElasticBlockStoreVolumeSource GitRepo::*GitRepoVolumeSource Secret::*SecretVolumeSource NFS:nfs:*NFSVolumeSource ISCSI:iscsi:*ISCSIVolumeSource Glusterfs::*GlusterfsVolumeSource PersistentVolumeClaim::*PersistentVolumeClaimVolumeSource RBD:rbd:*RBDVolumeSource FlexVolume::*FlexVolumeSource Cinder::*CinderVolumeSource CephFS:cephfs:*CephFSVolumeSource Flocker::*FlockerVolumeSource DownwardAPI::*DownwardAPIVolumeSource FC:fc:*FCVolumeSource AzureFile::*AzureFileVolumeSource ConfigMap::*ConfigMapVolumeSource VsphereVolume::*VsphereVirtualDiskVolumeSource Quobyte::*QuobyteVolumeSource AzureDisk::*AzureDiskVolumeSource PhotonPersistentDisk::*PhotonPersistentDiskVolumeSource Projected::*ProjectedVolumeSource PortworxVolume::*PortworxVolumeSource ScaleIO::*ScaleIOVolumeSource StorageOS:storageos:*StorageOSVolumeSource CSI:csi:*CSIVolumeSource Ephemeral::*EphemeralVolumeSource Image::*ImageVolumeSource',
  VsphereVirtualDiskVolumeSource:
    'VolumePath::s FSType:fsType:s StoragePolicyName::s StoragePolicyID::s',
  WeightedPodAffinityTerm: 'Weight::i PodAffinityTerm::PodAffinityTerm',
  WindowsSecurityContextOptions:
    'GMSACredentialSpecName:gmsaCredentialSpecName:*s GMSACredentialSpec:gmsaCredentialSpec:*s RunAsUserName::*s HostProcess::*b',
}
