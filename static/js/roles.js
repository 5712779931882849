/** What each role has pages for; the server decides rights, this only what is offered. */

const HOMES = [["admin", "/admin"], ["instructor", "/instructor"], ["tutor", "/tutor"], ["parent", "/family"], ["student", "/student"]];

const TABS = [
  { href: "/student", title: "My lessons", roles: ["student"] },
  { href: "/family", title: "My children", roles: ["parent"] },
  { href: "/instructor", title: "Lessons", roles: ["instructor", "admin"] },
  { href: "/tutor", title: "Sessions", roles: ["instructor", "tutor", "admin"] },
  { href: "/tutor/live", title: "Live", roles: ["instructor", "tutor", "admin"] },
  { href: "/admin", title: "People", roles: ["admin"] },
  { href: "/admin/classes", title: "Classes", roles: ["admin"] },
  { href: "/admin/care", title: "Tutors and students", roles: ["admin"] },
  { href: "/admin/settings", title: "Settings", roles: ["admin"] },
  { href: "/admin/engines", title: "Engines", roles: ["admin"] },
  { href: "/admin/usage", title: "Cost", roles: ["admin"] },
  { href: "/admin/audit", title: "Audit log", roles: ["admin"] },
];

export function homeOf(me) {
  return HOMES.find(([role]) => me.roles.includes(role))?.[1] ?? "/student";
}

/** The sections of a person, the one that `path` lies in marked. */
export function tabsOf(me, path) {
  const tabs = TABS.filter(({ roles }) => roles.some((role) => me.roles.includes(role)));
  const lies = ({ href }) => path === href || path.startsWith(`${href}/`);
  const current = tabs.filter(lies).sort((a, b) => b.href.length - a.href.length)[0];
  return tabs.map((tab) => ({ ...tab, current: tab === current }));
}
