//! One table: the calls that we make, metered, their errors told as failures. Nothing of the SDK leaves here but
//! items.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, WriteRequest,
};
use domain::Failure;
use jiff::Timestamp;

use super::meter::{Meter, Side};
use crate::aws::failure;

pub(super) type Item = HashMap<String, AttributeValue>;

/// What became of a conditional write.
#[derive(Debug)]
pub(super) enum Written {
    Done,
    /// The condition did not hold; what is there.
    Refused(Option<Item>),
}

/// The item to be written, put together.
#[derive(Default)]
pub(super) struct Row(pub(super) Item);

impl Row {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self::default().text("pk", pk).text("sk", sk)
    }

    pub(super) fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    pub(super) fn number(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::N(value.to_string()));
        self
    }

    pub(super) fn bytes(mut self, name: &str, value: Vec<u8>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::B(Blob::new(value)));
        self
    }

    /// DynamoDB deletes the item some time after this instant.
    pub(super) fn expires(self, at: Timestamp) -> Self {
        self.number("expires", at.as_second())
    }
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(super) fn bytes<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(Blob::as_ref)
}

pub(super) fn sk(item: &Item) -> &str {
    text(item, "sk").unwrap_or_default()
}

/// A condition or an update: its text and the values in it (`:name`).
#[derive(Default)]
pub(super) struct Expression {
    text: &'static str,
    values: Item,
}

impl Expression {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, values: Item::new() }
    }

    /// Gives the names in the text their values, those of a row.
    pub(super) fn with(mut self, values: Row) -> Self {
        self.values = values.0;
        self
    }
}

/// The items of a partition between two sort keys.
pub(super) struct Range<'a> {
    pub(super) pk: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) strong: bool,
    pub(super) descending: bool,
    /// Items to read at most in one page; none for as many as a page holds (1 MB).
    pub(super) limit: Option<usize>,
    /// The attributes wanted; none for all.
    pub(super) only: Option<&'static str>,
}

impl<'a> Range<'a> {
    pub(super) fn new(pk: &'a str, from: &'a str, to: &'a str) -> Self {
        Self { pk, from, to, strong: false, descending: false, limit: None, only: None }
    }
}

/// One page of a range.
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// Where the next page starts; none when this was the last.
    pub(super) next: Option<Item>,
}

#[derive(Clone)]
pub(super) struct Table {
    client: Client,
    name: String,
    meter: Option<Arc<Meter>>,
}

impl Table {
    pub(super) fn new(client: Client, name: impl Into<String>, meter: Option<Arc<Meter>>) -> Self {
        Self { client, name: name.into(), meter }
    }

    fn asked(&self) -> Option<ReturnConsumedCapacity> {
        self.meter.is_some().then_some(ReturnConsumedCapacity::Total)
    }

    fn count(&self, side: Side, used: &[aws_sdk_dynamodb::types::ConsumedCapacity]) {
        if let Some(meter) = &self.meter {
            meter.count(side, used);
        }
    }

    fn refused(&self, there: Option<Item>) -> Written {
        if let Some(meter) = &self.meter {
            meter.count_refused(there.as_ref());
        }
        Written::Refused(there)
    }

    /// Writes an item, replacing what is there; only if `condition` holds, where there is one.
    pub(super) async fn put(
        &self,
        during: &'static str,
        row: Row,
        condition: Option<Expression>,
    ) -> Result<Written, Failure> {
        let condition = condition.unwrap_or_default();
        let some = !condition.text.is_empty();
        let answer = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(row.0))
            .set_condition_expression(some.then(|| condition.text.to_owned()))
            .set_expression_attribute_values((!condition.values.is_empty()).then_some(condition.values))
            .set_return_values_on_condition_check_failure(
                some.then_some(ReturnValuesOnConditionCheckFailure::AllOld),
            )
            .set_return_consumed_capacity(self.asked())
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.count(Side::Write, answer.consumed_capacity.as_slice());
                Ok(Written::Done)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(no)) => Ok(self.refused(no.item.clone())),
                _ => Err(failure(during, &error)),
            },
        }
    }

    /// Changes attributes of an item, making it if need be.
    pub(super) async fn update(
        &self,
        during: &'static str,
        pk: &str,
        sk: &str,
        update: Expression,
        condition: Option<&'static str>,
    ) -> Result<Written, Failure> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(Row::new(pk, sk).0))
            .update_expression(update.text)
            .set_expression_attribute_values((!update.values.is_empty()).then_some(update.values))
            .set_condition_expression(condition.map(str::to_owned))
            .set_return_values_on_condition_check_failure(
                condition.map(|_| ReturnValuesOnConditionCheckFailure::AllOld),
            )
            .set_return_consumed_capacity(self.asked())
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.count(Side::Write, answer.consumed_capacity.as_slice());
                Ok(Written::Done)
            }
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
            {
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(no) => Ok(self.refused(no.item)),
                    _ => Ok(self.refused(None)),
                }
            }
            Err(error) => Err(failure(during, &error)),
        }
    }

    pub(super) async fn delete(&self, during: &'static str, pk: &str, sk: &str) -> Result<(), Failure> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(Row::new(pk, sk).0))
            .set_return_consumed_capacity(self.asked())
            .send()
            .await
            .map_err(|error| failure(during, &error))?;
        self.count(Side::Write, answer.consumed_capacity.as_slice());
        Ok(())
    }

    /// Deletes the items of up to 25 keys.
    pub(super) async fn delete_many(&self, during: &'static str, keys: Vec<Item>) -> Result<(), Failure> {
        let unmakeable = |_| Failure::permanent(during, "the request cannot be made");
        let request = |key| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(unmakeable)?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        };
        let mut left: Vec<WriteRequest> = keys.into_iter().map(request).collect::<Result<_, Failure>>()?;
        for _ in 0..10 {
            if left.is_empty() {
                return Ok(());
            }
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.name, left)
                .set_return_consumed_capacity(self.asked())
                .send()
                .await
                .map_err(|error| failure(during, &error))?;
            self.count(Side::Write, answer.consumed_capacity());
            left = answer.unprocessed_items.into_iter().flatten().flat_map(|(_, items)| items).collect();
        }
        Err(Failure::retryable(during, "DynamoDB left items undeleted ten times: it is overloaded"))
    }

    pub(super) async fn get(
        &self,
        during: &'static str,
        pk: &str,
        sk: &str,
        strong: bool,
    ) -> Result<Option<Item>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(Row::new(pk, sk).0))
            .consistent_read(strong)
            .set_return_consumed_capacity(self.asked())
            .send()
            .await
            .map_err(|error| failure(during, &error))?;
        self.count(Side::Read, answer.consumed_capacity.as_slice());
        Ok(answer.item)
    }

    /// One page of a range.
    pub(super) async fn page(
        &self,
        during: &'static str,
        range: &Range<'_>,
        start: Option<Item>,
    ) -> Result<Page, Failure> {
        let bounds = Row::default().text(":pk", range.pk).text(":from", range.from).text(":to", range.to);
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .set_expression_attribute_values(Some(bounds.0))
            .set_projection_expression(range.only.map(str::to_owned))
            .consistent_read(range.strong)
            .scan_index_forward(!range.descending)
            .set_limit(range.limit.map(|limit| i32::try_from(limit.max(1)).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(start)
            .set_return_consumed_capacity(self.asked())
            .send()
            .await
            .map_err(|error| failure(during, &error))?;
        self.count(Side::Read, answer.consumed_capacity.as_slice());
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok(Page { items: answer.items.unwrap_or_default(), next })
    }

    /// All items of a range, at most `most`.
    pub(super) async fn all(
        &self,
        during: &'static str,
        range: &Range<'_>,
        most: usize,
    ) -> Result<Vec<Item>, Failure> {
        let (mut items, mut start) = (Vec::new(), None);
        while items.len() < most {
            let page = self.page(during, range, start).await?;
            items.extend(page.items);
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        items.truncate(most);
        Ok(items)
    }

    /// The items of up to 100 keys, in any order; absent ones are left out.
    pub(super) async fn get_many(
        &self,
        during: &'static str,
        keys: Vec<Item>,
        only: &'static str,
    ) -> Result<Vec<Item>, Failure> {
        let (mut items, mut left) = (Vec::new(), keys);
        for _ in 0..10 {
            if left.is_empty() {
                return Ok(items);
            }
            let wanted =
                KeysAndAttributes::builder().set_keys(Some(left)).projection_expression(only).build();
            let wanted = wanted.map_err(|_| Failure::permanent(during, "the request cannot be made"))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, wanted)
                .set_return_consumed_capacity(self.asked())
                .send()
                .await
                .map_err(|error| failure(during, &error))?;
            self.count(Side::Read, answer.consumed_capacity());
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            left = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, keys)| keys.keys).collect();
        }
        Err(Failure::retryable(during, "DynamoDB left keys unread ten times: it is overloaded"))
    }
}
