// Makes this server a replica set of one member, with a user for each of
// Parley's databases. May run again and again: what is there stays, but for
// passwords, which become those of the environment.
//
// Until the first user is made, whoever comes from this machine may do so:
// https://www.mongodb.com/docs/manual/core/localhost-exception/

const { MONGO_ROOT_PASSWORD, MEMBER } = process.env;
const admin = db.getSiblingDB("admin");

function once(what, codes, act) {
  try {
    act();
    print(what);
  } catch (e) {
    if (!codes.includes(e.codeName)) throw e;
  }
}

function authenticated() {
  try {
    admin.auth("root", MONGO_ROOT_PASSWORD);
    return true;
  } catch {
    return false; // nobody is root yet; a wrong password is refused below
  }
}

if (!authenticated()) {
  once("initiated", ["AlreadyInitialized"], () =>
    rs.initiate({ _id: "rs0", members: [{ _id: 0, host: MEMBER }] }));
}
while (!db.hello().isWritablePrimary) sleep(200);
if (!authenticated()) {
  admin.createUser({ user: "root", pwd: MONGO_ROOT_PASSWORD, roles: ["root"] });
  admin.auth("root", MONGO_ROOT_PASSWORD);
}
for (const name of ["auth", "social", "chat"]) {
  const pwd = process.env[`MONGO_${name.toUpperCase()}_PASSWORD`];
  const own = db.getSiblingDB(name);
  if (own.getUser(name)) own.updateUser(name, { pwd });
  else own.createUser({ user: name, pwd, roles: [{ role: "readWrite", db: name }] });
}
print("ready");
