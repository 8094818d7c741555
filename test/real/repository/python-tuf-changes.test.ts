/** python-tuf's client on every kind of change of a repository of ours. */
import { encodeBase64 } from '../../../formats/bytes.ts';
import { testForeignClient, type Seen } from './published-changes.ts';
import { python } from './python.ts';

const CLIENT = `
import base64, hashlib
from tuf.ngclient import Updater
updater = Updater(given["folder"], given["metadataUrl"], given["folder"], given["targetsUrl"],
    bootstrap=base64.b64decode(given["root"]))
def digest(name):
    info = updater.get_targetinfo(name)
    if info is None:
        return "not found"
    with open(updater.download_target(info), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
updater.refresh()
trusted = updater._trusted_set
print(json.dumps({
    "versions": {name: trusted[name].version for name in ["root", "timestamp", "snapshot", "targets"]},
    "targets": {name: digest(name) for name in given["targets"]},
}))
`;

testForeignClient(
  'python-tuf',
  async (ask) => (await python(CLIENT, { ...ask, root: encodeBase64(ask.root) })) as Seen,
);
