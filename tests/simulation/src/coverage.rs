//! What is to be seen in many histories: every kind of trouble, and the rare good things that show it was overcome.

/// Makes an enum whose members have a name for people and are counted by their place.
macro_rules! counted {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $member:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind { $($(#[$doc])* $member,)* }

        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$member,)*];

            /// Its name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$member => $name,)* }
            }
        }
    };
}

counted! {
    /// A kind of trouble.
    Fault {
        /// A process is killed at whatever it waits for.
        Crash = "a process dies",
        /// A process freezes for less than a lease.
        Freeze = "a process freezes",
        /// A process freezes for longer than a lease.
        LongFreeze = "a process freezes for longer than a lease",
        /// A process whose clock is wrong by more than four minutes.
        WrongClock = "a clock is wrong by more than four minutes",
        /// The ledger throttles: certainly not done.
        LedgerThrottles = "the ledger throttles",
        /// The ledger's answer is lost, whatever became of the call.
        LedgerUnclear = "the ledger's answer is lost",
        /// A read that does not see the last write.
        StaleRead = "a read is stale",
        /// A message is delivered twice.
        QueueRepeats = "a queue repeats",
        /// A message comes minutes later.
        QueueDelays = "a queue delays",
        /// A message overtakes an older one.
        QueueReorders = "a queue reorders",
        /// A message expires before anybody has taken it.
        QueueLoses = "a queue loses by expiry",
        /// Sending to a queue fails, or its answer is lost.
        QueueUnclear = "sending to a queue fails",
        /// A message that nobody can read.
        PoisonMessage = "a message is poison",
        /// A schedule fires twice.
        ScheduleTwice = "a schedule fires twice",
        /// A schedule does not fire.
        ScheduleMissed = "a schedule does not fire",
        /// Two polls of one store run at the same time.
        PollersOverlap = "two pollers overlap",
        /// The store answers after more than the usual time, or the request waits for its turn.
        StoreSlow = "the store is slow",
        /// The store is away for minutes.
        StoreDown = "the store is down",
        /// The store answers 200 with a page of HTML.
        StoreHtml = "the store sends HTML",
        /// The store's answer is lost.
        StoreUnclear = "the store's answer is lost",
        /// A list whose pages shift while it is read: an order comes in before others, or goes.
        PagesShift = "the list's pages shift",
        /// An order is named twice in a list.
        ListedTwice = "an order is listed twice",
        /// An order's address changes in the store.
        OrderChanges = "an order changes",
        /// An order cannot be found any more, for a while or for good.
        OrderVanishes = "an order vanishes",
        /// An order's document cannot be read for a while.
        OrderUnreadable = "an order is unreadable",
        /// An order is paid, or refused by the bank, long after it was placed.
        PaidLate = "an order is paid later",
        /// A sale is taken back.
        TakenBack = "a sale is taken back",
        /// A listing is missing in the mapping.
        Unmapped = "a listing is missing",
        /// The warehouse takes an order and hangs up.
        HangsUp = "the warehouse accepts and hangs up",
        /// The warehouse refuses an order until it is another one.
        Refuses = "the warehouse refuses",
        /// The warehouse says: too many requests.
        WarehouseThrottles = "the warehouse throttles",
        /// The warehouse is away for minutes.
        WarehouseDown = "the warehouse is down",
        /// A request waits for its turn at the warehouse.
        WarehouseSlow = "the warehouse is slow",
        /// The warehouse loses an order that it took.
        Forgets = "the warehouse forgets",
        /// An order is in doubt, is there, and a look-up would not show it yet.
        LateLookup = "a look-up answers late",
        /// A package leaves before the answer to the create was written down.
        ShipsEarly = "the warehouse ships before it answered",
        /// A notice comes before the warehouse's id is stored.
        NoticeEarly = "a notice comes before the id is stored",
        /// A notice for an order that nobody knows.
        UnknownNotice = "a notice for an unknown order",
        /// A label is taken back, and the package goes under another one.
        VoidedParcel = "a parcel is voided",
        /// One notice fifty times.
        FiftyNotices = "one notice fifty times",
        /// A notice comes again long after everything.
        OldNotice = "last week's notice",
        /// A webhook is lost.
        WebhookLost = "a webhook is lost",
        /// The store's key is another one.
        StoreSecret = "the store's secret rotates",
        /// The warehouse's key is another one.
        WarehouseSecret = "the warehouse's secret rotates",
        /// The old version meets a message of the new one.
        NewerMessage = "the old version meets a newer message",
        /// The new version meets a message of the old one.
        OlderMessage = "the new version meets an older message",
        /// The old version reads a record of the new one, which has more in it.
        NewerRecord = "the old version reads a newer record",
        /// The old version cannot read a record of the new one.
        UnreadableRecord = "the old version cannot read a record",
        /// The new version reads a record of the old one.
        OlderRecord = "the new version reads an older record",
    }
}

counted! {
    /// A rare good thing.
    Sometimes {
        /// A late effect landed after its caller had given up.
        GhostLanded = "a ghost landed",
        /// An attempt that died is taken over once its lease is over.
        Takeover = "an attempt was taken over",
        /// A writer recognises its own earlier write by its token.
        OwnWrite = "an own write was recognised",
        /// Somebody else was faster, and the loser left it.
        LostRace = "a race was lost",
        /// A look-up shows that the warehouse has the order.
        FoundThere = "a doubt was resolved by a look-up",
        /// A look-up shows that it has not, and the order is sent again.
        SentAgain = "an order was sent again after a doubt",
        /// A second order with the same reference was refused.
        DuplicateRefused = "a duplicate was refused",
        /// A second order with the same key was answered as the first.
        KeyReplayed = "a key was replayed",
        /// A look-up was put off until its answer can be trusted.
        LookupPutOff = "a look-up was put off by its lag",
        /// A warehouse that can neither refuse nor be asked: a person decides.
        GaveUp = "an unclear send was left to a person",
        /// A claim to post was taken over once its lease was over.
        PostTakeover = "a post was taken over",
        /// A package was shown by the store already, and was not posted again.
        PostFound = "a post was found in the store",
        /// A notice proved an order that we were still sending.
        NoticeProved = "a notice proved an order",
        /// A notice was parked for a person.
        Parked = "a notice was parked",
        /// A message became a dead letter.
        DeadLetter = "a message became a dead letter",
        /// A person put a dead letter back.
        Redriven = "a dead letter was redriven",
        /// A poison message did not stop the others of its batch.
        PoisonAlone = "a poison message went alone",
        /// A process that was held up gave up instead of sending late.
        HeldUp = "a process was held up and did not send",
        /// A held order was released by the missing row.
        Cured = "a held order was cured",
        /// A refused order was sent after it had changed.
        RefusalCured = "a refused order was cured",
        /// An order was cancelled at the warehouse.
        Cancelled = "an order was cancelled at the warehouse",
        /// An order that changed after it was sent is shown to a person.
        ChangeSeen = "a change after sending was seen",
        /// The warehouse cancelled what it had of a changed order, which is sent in its place.
        Replaced = "a changed order took the place of the sent one",
        /// Somebody else held the right to import.
        LeaseBusy = "an import was left to somebody else",
        /// A cursor that somebody had moved was left alone.
        CursorKept = "a cursor was left to somebody else",
        /// An order came in by a hint before a poll.
        Hinted = "an order came in by a hint",
        /// A process fetched a rotated secret anew and got through.
        SecretFetched = "a rotated secret was fetched anew",
        /// A person let an order go that was kept back.
        LetGo = "a person let an order go",
        /// A person kept an order back.
        KeptBack = "a person kept an order back",
        /// A person cancelled an order.
        CancelledByPerson = "a person cancelled an order",
        /// A person looked into a warehouse that cannot be asked, and said what is there.
        DoubtSettled = "a person settled a doubt",
        /// A person had an order sent under a new reference.
        SentAnew = "an order was sent anew by a person",
        /// A person's comparison of everything came to its end.
        Compared = "everything was compared by a person",
        /// A record that the old version could not read was finished after the deploy.
        DeployHealed = "a deploy healed what the old version could not read",
    }
}

/// How often each was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    faults: Vec<u64>,
    sometimes: Vec<u64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { faults: vec![0; Fault::ALL.len()], sometimes: vec![0; Sometimes::ALL.len()] }
    }
}

impl Seen {
    pub(crate) fn fault(&mut self, fault: Fault) {
        if let Some(times) = self.faults.get_mut(fault as usize) {
            *times += 1;
        }
    }

    pub(crate) fn sometimes(&mut self, what: Sometimes) {
        if let Some(times) = self.sometimes.get_mut(what as usize) {
            *times += 1;
        }
    }

    /// Adds what another history showed.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.faults.iter_mut().zip(&other.faults);
        pairs.chain(self.sometimes.iter_mut().zip(&other.sometimes)).for_each(|(sum, more)| *sum += more);
    }

    /// How often this trouble happened.
    #[must_use]
    pub fn times(&self, fault: Fault) -> u64 {
        self.faults.get(fault as usize).copied().unwrap_or(0)
    }

    /// How often this good thing was seen.
    #[must_use]
    pub fn times_of(&self, what: Sometimes) -> u64 {
        self.sometimes.get(what as usize).copied().unwrap_or(0)
    }

    /// Every name with its count, faults first.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let faults = Fault::ALL.iter().map(|fault| (fault.name(), self.times(*fault)));
        faults.chain(Sometimes::ALL.iter().map(|what| (what.name(), self.times_of(*what))))
    }

    /// What is missing: troubles that happened less than `least` times, good things that were never seen.
    #[must_use]
    pub fn missing(&self, least: u64) -> Vec<String> {
        let rare = Fault::ALL.iter().map(|fault| (fault.name(), self.times(*fault)));
        let rare = rare.filter(|(_, times)| *times < least.max(1));
        let never = Sometimes::ALL.iter().map(|what| (what.name(), self.times_of(*what)));
        let never = never.filter(|(_, times)| *times == 0);
        rare.chain(never).map(|(name, times)| format!("{name}: {times} times")).collect()
    }
}
