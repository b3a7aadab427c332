"""zds.py SOCKET [UID=NETNS_FILE=NAMESPACE/NAME/ACCOUNT]...: the node's agent of Istio, as far as ztunnel needs one.

Listens on a Unix socket of whole messages (which Node has not), hands every ztunnel that connects the pods with their network
namespaces, and prints what it answers to each.
"""
import os, socket, sys

def field(number, data):
    """A length-delimited field; no message here is longer than 127 bytes."""
    assert len(data) < 128, data
    return bytes([number << 3 | 2, len(data)]) + data

def text(number, value):
    return field(number, value.encode())

def add(uid, namespace, name, account):
    info = text(1, name) + text(2, namespace) + text(3, account)
    return field(1, text(1, uid) + field(2, info))

SNAPSHOT_SENT = field(3, b"")
pods = [argument.split("=") for argument in sys.argv[2:]]
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind(sys.argv[1])
server.listen()
print("listening", flush=True)
while True:
    ztunnel, _ = server.accept()
    print("hello", ztunnel.recv(1024).hex(), flush=True)
    for uid, path, whose in pods:
        netns = os.open(path, os.O_RDONLY)
        socket.send_fds(ztunnel, [add(uid, *whose.split("/"))], [netns])
        os.close(netns)
        print("pod", whose, ztunnel.recv(1024), flush=True)
    ztunnel.send(SNAPSHOT_SENT)
    print("snapshot", ztunnel.recv(1024), flush=True)
    while ztunnel.recv(1024):
        pass
