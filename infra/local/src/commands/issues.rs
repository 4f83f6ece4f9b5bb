//! `cartdock issues`: what orders wait for, and what people say about it.

use operations::issues::{self, Issue, Saying};

use super::{Desk, Outcome, Problem, style};
use crate::cli::{Issues, IssuesCommand};

impl Desk<'_> {
    pub(super) async fn issues(&self, args: &Issues) -> Result<Outcome, Problem> {
        match &args.command {
            None => self.issues_list(args).await,
            Some(IssuesCommand::Show(one)) => self.issue_shown(self.issue(&one.issue).await?).await,
            Some(IssuesCommand::Assign(args)) => {
                self.say(&args.one.issue, Saying::Assign(args.to.clone()), &args.who.by).await
            }
            Some(IssuesCommand::Note(args)) => {
                self.say(&args.one.issue, Saying::Note(args.text.clone()), &args.who.by).await
            }
            Some(IssuesCommand::Ignore(args)) => {
                self.say(&args.one.issue, Saying::Ignore(!args.undo), &args.who.by).await
            }
        }
    }

    async fn issues_list(&self, args: &Issues) -> Result<Outcome, Problem> {
        let (ledger, notes) = (self.host.ledger.as_ref(), self.host.notes.as_ref());
        let mut all = Vec::new();
        for connection in self.chosen(args.connection.as_ref())? {
            all.extend(issues::list(ledger, notes, &connection.id).await?);
        }
        let attention = all.iter().any(|issue| !issue.group.ignored);
        all.retain(|issue| args.all || !issue.group.ignored);
        self.show(&all, || issues::text(&all, self.host.clock.now(), style()))?;
        Ok(Outcome::of(attention))
    }

    async fn issue(&self, id: &str) -> Result<Issue, Problem> {
        let (ledger, notes) = (self.host.ledger.as_ref(), self.host.notes.as_ref());
        Ok(issues::find(ledger, notes, &self.connections, id).await?)
    }

    async fn issue_shown(&self, issue: Issue) -> Result<Outcome, Problem> {
        let shown = issues::show(self.host.ledger.as_ref(), issue).await?;
        self.show(&shown, || shown.text(self.host.clock.now(), style()))
    }

    async fn say(&self, id: &str, saying: Saying, by: &str) -> Result<Outcome, Problem> {
        let issue = self.issue(id).await?;
        let issue = issues::say(self.host.notes.as_ref(), &issue, &saying, by, self.host.clock.now()).await?;
        self.issue_shown(issue).await
    }
}
